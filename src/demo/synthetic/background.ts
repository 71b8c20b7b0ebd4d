import type { Pcg64 } from "../../base/pcg64.ts";
import { integerBelow } from "../../base/random.ts";
import { exponential, integerIn, weightedIndex } from "./draws.ts";

/** Composition of a region without elements. */
export interface Composition {
  /** Share of G and C before CpG depletion. */
  readonly gc: number;
  /** Ratio of observed to expected CpG. */
  readonly cpg: number;
}

/**
 * The five isochore families of the human genome with approximate shares. Bernardi 2000,
 * doi:10.1016/S0378-1119(99)00485-0.
 */
const ISOCHORES = { gc: [0.36, 0.39, 0.435, 0.49, 0.54], shares: [0.19, 0.37, 0.31, 0.11, 0.02] };

/** Mean isochore length in bases; real isochores would span a whole synthetic chromosome. */
const MEAN_ISOCHORE = 12_000;

const DEPLETED_CPG = 0.2;
export const CPG_ISLAND: Composition = { gc: 0.62, cpg: 0.9 };

/**
 * Draws a chromosome's background: isochores of different GC content, each a Markov chain of order 1.
 *
 * A chain of order 1 has no structure that a dinucleotide shuffle destroys, so every difference between an
 * element and its shuffle was planted.
 *
 * @returns  codes A 0, C 1, G 2, T 3, and the composition at a position
 */
export function drawBackground(
  rng: Pcg64,
  length: number,
): { codes: Uint8Array; compositionAt(position: number): Composition } {
  const codes = new Uint8Array(length);
  const stretches: { end: number; composition: Composition }[] = [];
  for (let start = 0; start < length; ) {
    const composition = { gc: ISOCHORES.gc[weightedIndex(rng, ISOCHORES.shares)], cpg: DEPLETED_CPG };
    const end = Math.min(length, start + 2000 + Math.round(exponential(rng, MEAN_ISOCHORE - 2000)));
    drawChain(rng, codes, start, end, composition);
    stretches.push({ end, composition });
    start = end;
  }
  return {
    codes,
    compositionAt: (position) => stretches.find(({ end }) => position < end)!.composition,
  };
}

/** Fills codes [start, end) with a Markov chain of order 1 that continues from the preceding base. */
export function drawChain(
  rng: Pcg64,
  codes: Uint8Array,
  start: number,
  end: number,
  composition: Composition,
): void {
  const steps = transitions(composition);
  let row = start > 0 ? codes[start - 1] * 4 : 4 * weightedIndex(rng, [1, 1, 1, 1]);
  for (let i = start; i < end; i++) {
    const u = rng.nextFloat64();
    const code = u < steps[row] ? 0 : u < steps[row + 1] ? 1 : u < steps[row + 2] ? 2 : 3;
    codes[i] = code;
    row = code * 4;
  }
}

/** Cumulative P(next base | base), [4, 4]; strand-symmetric. */
function transitions({ gc, cpg }: Composition): Float64Array {
  const steps = new Float64Array(16);
  const frequency = [(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2];
  for (let from = 0; from < 4; from++) {
    const row = frequency.map((f, to) => f * dinucleotideBias(from, to, cpg));
    const sum = row.reduce((a, b) => a + b);
    let cumulative = 0;
    for (let to = 0; to < 4; to++) {
      cumulative += row[to] / sum;
      steps[4 * from + to] = cumulative;
    }
  }
  return steps;
}

/** Methylated CpG decays to TpG and, on the other strand, CpA; AA and TT are slightly enriched. */
function dinucleotideBias(from: number, to: number, cpg: number): number {
  const pair = "ACGT"[from] + "ACGT"[to];
  if (pair === "CG") return cpg;
  if (pair === "TG" || pair === "CA") return 1 + 0.2 * (1 - cpg);
  return pair === "AA" || pair === "TT" ? 1.1 : 1;
}

/**
 * Lengths of GRCh38's chromosomes in bases, in karyotype order. The synthetic genome has the same names, so
 * that the chromosome split applies, and a thousandth of the lengths.
 */
const GRCH38_LENGTHS = {
  chr1: 248_956_422,
  chr2: 242_193_529,
  chr3: 198_295_559,
  chr4: 190_214_555,
  chr5: 181_538_259,
  chr6: 170_805_979,
  chr7: 159_345_973,
  chr8: 145_138_636,
  chr9: 138_394_717,
  chr10: 133_797_422,
  chr11: 135_086_622,
  chr12: 133_275_309,
  chr13: 114_364_328,
  chr14: 107_043_718,
  chr15: 101_991_189,
  chr16: 90_338_345,
  chr17: 83_257_441,
  chr18: 80_373_285,
  chr19: 58_617_616,
  chr20: 64_444_167,
  chr21: 46_709_983,
  chr22: 50_818_468,
  chrX: 156_040_895,
  chrY: 57_227_415,
};

/** Number of N at each end of every chromosome, like the telomeres of real assemblies. */
export const TELOMERE = 500;

/** Chromosome lengths of a synthetic genome, 3.09 Mb in total at scale 1. */
export function chromosomeLengths(scale: number): ReadonlyMap<string, number> {
  return new Map(
    Object.entries(GRCH38_LENGTHS).map(([name, length]) => [name, Math.round((length / 1000) * scale)]),
  );
}

/** Interspersed repeats: name, full length in bases, share of the genome. */
const FAMILIES = [
  { name: "SINE", length: 300, share: 0.05 },
  { name: "LINE", length: 900, share: 0.05 },
  { name: "LTR", length: 420, share: 0.02 },
];

/** Range of the divergence of a copy, in percent. */
const DIVERGENCE = [5, 20] as const;

/** Consensus sequences of the repeat families of a genome. */
export function drawRepeatFamilies(rng: Pcg64): readonly Uint8Array[] {
  return FAMILIES.map(({ length }) => {
    const codes = new Uint8Array(length);
    drawChain(rng, codes, 0, length, { gc: 0.45, cpg: 0.5 });
    return codes;
  });
}

/**
 * Inserts diverged copies on both strands, with 5'-truncated LINEs, and simple repeats into a chromosome.
 *
 * Repeats are the pattern that a genomic model learns first, and are not part of elements.
 *
 * @param codes  the chromosome, modified in place
 * @returns      1 for each base of a repeat, which RepeatMasker would soft-mask; else 0
 */
export function insertRepeats(rng: Pcg64, codes: Uint8Array, families: readonly Uint8Array[]): Uint8Array {
  const masked = new Uint8Array(codes.length);
  families.forEach((consensus, family) => {
    const { name, share } = FAMILIES[family];
    for (let left = Math.round(share * codes.length); left > 0; ) {
      const cut = name === "LINE" ? integerBelow(rng, consensus.length - 100) : 0;
      const length = Math.min(consensus.length - cut, codes.length);
      const at = integerBelow(rng, codes.length - length + 1);
      const reverse = integerBelow(rng, 2) === 1;
      const divergence = integerIn(rng, DIVERGENCE) / 100;
      for (let i = 0; i < length; i++) {
        const code = reverse ? 3 - consensus[consensus.length - 1 - i] : consensus[cut + i];
        codes[at + i] = rng.nextFloat64() < divergence ? integerBelow(rng, 4) : code;
      }
      masked.fill(1, at, at + length);
      left -= length;
    }
  });
  for (let left = Math.round(codes.length * 0.01); left > 0; left -= 40) {
    const unit = [integerBelow(rng, 4), integerBelow(rng, 4)] as const; // a homopolymer in one of four cases
    const length = Math.min(integerIn(rng, [20, 60]), codes.length);
    const at = integerBelow(rng, codes.length - length + 1);
    for (let i = 0; i < length; i++) codes[at + i] = unit[i & 1];
    masked.fill(1, at, at + length);
  }
  return masked;
}
