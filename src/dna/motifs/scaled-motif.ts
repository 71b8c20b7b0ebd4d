import { InputError } from "../../base/errors.ts";
import type { Motif } from "./motif.ts";

/** Largest score of a letter once scaled. */
const RANGE = 1000;

/** What is added to a motif's sites, spread over the letters as the background is. */
const DEFAULT_PSEUDOCOUNT = 0.1;

/** Sites of a motif that does not say from how many it was made: MEME's own default. */
const DEFAULT_SITES = 20;

/**
 * Frequencies of A, C, G, T in the non-redundant database of 2008, which FIMO takes for DNA where it is told none; both
 * strands' mean.
 */
const NRDB_BACKGROUND: readonly number[] = [
  0.27455195089609824, 0.22544804910390176, 0.22544804910390176, 0.27455195089609824,
];

export interface ScoringOptions {
  /** Frequencies of A, C, G, T around motifs; FIMO's own when left out. Both strands' mean is taken. */
  readonly background?: ArrayLike<number>;
  /** 0.1, as in FIMO, when left out. */
  readonly pseudocount?: number;
}

/**
 * A motif's log-odds against a background as whole numbers, as FIMO scores: of a letter with probability p at a position,
 * log2(p' / b) with p' = (p · sites + c · b) / (sites + c), then moved and stretched to 0...1000 and rounded. Sums of whole
 * numbers have an exact distribution.
 */
export interface ScaledMotif {
  readonly motif: Motif;
  /** [width, 4], row-major, letters A, C, G, T; 0 to 1000. */
  readonly scores: Int32Array;
  /** A sum of scores s is s / scale + width · offset bits. */
  readonly scale: number;
  readonly offset: number;
  /** Of A, C, G, T, adding up to 1. */
  readonly background: Float64Array;
}

/** @throws {InputError} when the background or the pseudocount cannot be, or a letter's log-odds are infinite */
export function scaleMotif(
  motif: Motif,
  { background = NRDB_BACKGROUND, pseudocount = DEFAULT_PSEUDOCOUNT }: ScoringOptions = {},
): ScaledMotif {
  const frequencies = bothStrands(background);
  if (!(pseudocount >= 0 && pseudocount < Number.POSITIVE_INFINITY)) {
    throw new InputError(`a pseudocount of ${pseudocount} is not possible; it is 0 or more`);
  }
  const { sites = DEFAULT_SITES } = motif;
  const bits = motif.probabilities.map((p, i) => {
    const b = frequencies[i % 4];
    return Math.log2((p * sites + pseudocount * b) / (sites + pseudocount) / b);
  });
  const least = bits.reduce((a, b) => Math.min(a, b));
  if (!Number.isFinite(least)) {
    throw new InputError(
      `a letter never stands at some position of ${motif.name}, so its log-odds are infinite`,
      {
        hint: "choose a pseudocount above 0",
      },
    );
  }
  const most = bits.reduce((a, b) => Math.max(a, b));
  const offset = Math.floor(least);
  const scale = Math.max(1, Math.floor(RANGE / (most - offset)));
  const scores = Int32Array.from(bits, (score) => Math.floor((score - offset) * scale + 0.5));
  return { motif, scores, scale, offset, background: frequencies };
}

/** The score of a sum of scaled scores, in bits. */
export function bitsOf({ motif, scale, offset }: ScaledMotif, sum: number): number {
  return sum / scale + motif.width * offset;
}

/**
 * The exact chance that letters drawn from the background add up to a score or more: entry s for s, from 0 to the motif's
 * largest sum. By convolving the positions' distributions one after the other.
 */
export function tailProbabilities({ motif, scores, background }: ScaledMotif): Float64Array {
  let distribution = Float64Array.of(1);
  for (let position = 0; position < motif.width; position++) {
    const row = scores.subarray(4 * position, 4 * position + 4);
    const longer = new Float64Array(distribution.length + Math.max(...row));
    for (let s = 0; s < distribution.length; s++) {
      const share = distribution[s];
      if (share === 0) continue;
      for (let letter = 0; letter < 4; letter++) longer[s + row[letter]] += share * background[letter];
    }
    distribution = longer;
  }
  for (let s = distribution.length - 2; s >= 0; s--) distribution[s] += distribution[s + 1];
  return distribution;
}

/** A background that both strands share, so that a motif has one distribution on either. */
function bothStrands(background: ArrayLike<number>): Float64Array {
  const given = Float64Array.from(background);
  const sum = given.reduce((a, b) => a + b, 0);
  if (given.length !== 4 || !given.every((b) => b > 0) || Math.abs(sum - 1) > 0.01) {
    throw new InputError(
      `${[...given].join(", ")} is no background: expected are frequencies of A, C, G, T above 0 that add up to 1`,
    );
  }
  const at = (given[0] + given[3]) / 2 / sum;
  const cg = (given[1] + given[2]) / 2 / sum;
  return Float64Array.of(at, cg, cg, at);
}
