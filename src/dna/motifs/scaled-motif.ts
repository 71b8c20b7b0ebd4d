import { InputError } from "../../base/errors.ts";
import type { Motif } from "./motif.ts";

/** Largest scaled score of a base. */
const MAX_SCORE = 1000;

/** FIMO's pseudocount, distributed over the bases as the background is. */
const DEFAULT_PSEUDOCOUNT = 0.1;

/** MEME's default number of sites. */
const DEFAULT_SITES = 20;

/**
 * FIMO's default background: frequencies of A, C, G, T in the non-redundant database of 2008, averaged over
 * both strands.
 */
const NRDB_BACKGROUND: readonly number[] = [
  0.27455195089609824, 0.22544804910390176, 0.22544804910390176, 0.27455195089609824,
];

export interface ScoringOptions {
  /** Background frequencies of A, C, G, T, averaged over both strands; default: FIMO's. */
  readonly background?: ArrayLike<number>;
  /** Default: 0.1, as in FIMO. */
  readonly pseudocount?: number;
}

/**
 * Log-odds matrix of a motif as integers, as in FIMO. A base with probability p and background b scores
 * log2(p' / b) with p' = (p · sites + c · b) / (sites + c), shifted and scaled to 0…1000 and rounded. Sums of
 * integers have an exact distribution.
 */
export interface ScaledMotif {
  readonly motif: Motif;
  /** [width, 4], row-major, columns A, C, G, T; 0 to 1000. */
  readonly scores: Int32Array;
  /** A sum s of scores is s / scale + width · offset bits. */
  readonly scale: number;
  readonly offset: number;
  /** Frequencies of A, C, G, T, summing to 1. */
  readonly background: Float64Array;
}

/**
 * Scales a motif.
 * @throws {InputError} when the background or pseudocount is invalid, or a log-odds score is infinite
 */
export function scaleMotif(
  motif: Motif,
  { background = NRDB_BACKGROUND, pseudocount = DEFAULT_PSEUDOCOUNT }: ScoringOptions = {},
): ScaledMotif {
  const frequencies = bothStrands(background);
  if (!(pseudocount >= 0 && pseudocount < Number.POSITIVE_INFINITY)) {
    throw new InputError(`the pseudocount is ${pseudocount}; expected a finite number of at least 0`);
  }
  const { sites = DEFAULT_SITES } = motif;
  const bits = motif.probabilities.map((p, i) => {
    const b = frequencies[i % 4];
    return Math.log2((p * sites + pseudocount * b) / (sites + pseudocount) / b);
  });
  const least = bits.reduce((a, b) => Math.min(a, b));
  if (!Number.isFinite(least)) {
    throw new InputError(
      `a base has probability 0 at a position of ${motif.name}: its log-odds are infinite`,
      {
        hint: "choose a pseudocount above 0",
      },
    );
  }
  const most = bits.reduce((a, b) => Math.max(a, b));
  const offset = Math.floor(least);
  const scale = Math.max(1, Math.floor(MAX_SCORE / (most - offset)));
  const scores = Int32Array.from(bits, (score) => Math.floor((score - offset) * scale + 0.5));
  return { motif, scores, scale, offset, background: frequencies };
}

/** Converts a sum of scaled scores to bits. */
export function bitsOf({ motif, scale, offset }: ScaledMotif, sum: number): number {
  return sum / scale + motif.width * offset;
}

/**
 * Exact p-values: entry s is the probability that a random sequence from the background scores s or more, for
 * s from 0 to the largest sum. Computed by convolving the score distributions of the positions.
 */
export function tailProbabilities({ motif, scores, background }: ScaledMotif): Float64Array {
  let distribution = Float64Array.of(1);
  for (let position = 0; position < motif.width; position++) {
    const row = scores.subarray(4 * position, 4 * position + 4);
    const longer = new Float64Array(distribution.length + Math.max(...row));
    for (let s = 0; s < distribution.length; s++) {
      const share = distribution[s];
      if (share === 0) continue;
      for (let base = 0; base < 4; base++) longer[s + row[base]] += share * background[base];
    }
    distribution = longer;
  }
  for (let s = distribution.length - 2; s >= 0; s--) distribution[s] += distribution[s + 1];
  return distribution;
}

/** Background averaged over both strands, so that p-values do not depend on the strand. */
function bothStrands(background: ArrayLike<number>): Float64Array {
  const given = Float64Array.from(background);
  const sum = given.reduce((a, b) => a + b, 0);
  if (given.length !== 4 || !given.every((b) => b > 0) || Math.abs(sum - 1) > 0.01) {
    throw new InputError(
      `${[...given].join(", ")} is not a valid background: expected positive frequencies of A, C, G, T that sum to 1`,
    );
  }
  const at = (given[0] + given[3]) / 2 / sum;
  const cg = (given[1] + given[2]) / 2 / sum;
  return Float64Array.of(at, cg, cg, at);
}
