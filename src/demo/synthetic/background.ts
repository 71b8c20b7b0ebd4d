import type { Pcg64 } from "../../base/pcg64.ts";
import { exponential, weightedIndex } from "./draws.ts";

/** Composition of a stretch of DNA without elements. */
export interface Composition {
  /** Share of G and C, before CpG depletion takes its part. */
  readonly gc: number;
  /** How often CpG occurs, as a multiple of what its letters would give. */
  readonly cpg: number;
}

/** The five isochore families of the human genome with their rough shares. Bernardi 2000, doi:10.1016/S0378-1119(99)00485-0. */
const ISOCHORES = { gc: [0.36, 0.39, 0.435, 0.49, 0.54], shares: [0.19, 0.37, 0.31, 0.11, 0.02] };

/** Mean length of a stretch of one composition, in bases; real isochores are as long as a whole chromosome here. */
const MEAN_ISOCHORE = 12_000;

const DEPLETED_CPG = 0.2;
export const CPG_ISLAND: Composition = { gc: 0.62, cpg: 0.9 };

/**
 * A chromosome's letters before anything is planted: stretches of different GC content, each a Markov chain of order 1.
 *
 * Order 1 on purpose: of the background nothing is left that a dinucleotide shuffle would destroy, so whatever tells an
 * element from its shuffle was planted.
 *
 * @returns  codes A 0, C 1, G 2, T 3, and the composition at a position
 */
export function drawBackground(
  rng: Pcg64,
  length: number,
): { codes: Uint8Array; compositionAt(position: number): Composition } {
  const codes = new Uint8Array(length);
  const stretches: { end: number; composition: Composition }[] = [];
  for (let start = 0; start < length; start = stretches.at(-1)!.end) {
    const composition = { gc: ISOCHORES.gc[weightedIndex(rng, ISOCHORES.shares)]!, cpg: DEPLETED_CPG };
    const end = Math.min(length, start + 2000 + Math.round(exponential(rng, MEAN_ISOCHORE - 2000)));
    drawChain(rng, codes, start, end, composition);
    stretches.push({ end, composition });
  }
  return {
    codes,
    compositionAt: (position) => stretches.find(({ end }) => position < end)!.composition,
  };
}

/** Fills codes [start, end) with a Markov chain of order 1 that goes on from the letter before. */
export function drawChain(
  rng: Pcg64,
  codes: Uint8Array,
  start: number,
  end: number,
  composition: Composition,
): void {
  const steps = transitions(composition);
  let row = start > 0 ? codes[start - 1]! * 4 : 4 * weightedIndex(rng, [1, 1, 1, 1]);
  for (let i = start; i < end; i++) {
    const u = rng.nextFloat64();
    const code = u < steps[row]! ? 0 : u < steps[row + 1]! ? 1 : u < steps[row + 2]! ? 2 : 3;
    codes[i] = code;
    row = code * 4;
  }
}

/** Cumulative P(next letter | letter), [4, 4]; the same law on both strands. */
function transitions({ gc, cpg }: Composition): Float64Array {
  const steps = new Float64Array(16);
  const frequency = [(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2];
  for (let from = 0; from < 4; from++) {
    const row = frequency.map((f, to) => f * dinucleotideBias(from, to, cpg));
    const sum = row.reduce((a, b) => a + b);
    let cumulative = 0;
    for (let to = 0; to < 4; to++) {
      cumulative += row[to]! / sum;
      steps[4 * from + to] = cumulative;
    }
  }
  return steps;
}

/** Methylated CpG decays to TpG and, on the other strand, CpA; runs of A and of T are a little too common. */
function dinucleotideBias(from: number, to: number, cpg: number): number {
  const pair = "ACGT"[from]! + "ACGT"[to]!;
  if (pair === "CG") return cpg;
  if (pair === "TG" || pair === "CA") return 1 + 0.2 * (1 - cpg);
  return pair === "AA" || pair === "TT" ? 1.1 : 1;
}
