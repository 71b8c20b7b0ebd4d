import { FLOAT32_ROUNDING, settleTies } from "../../metrics/ties.ts";
import type { TieTolerance } from "./measurement.ts";
import type { MeasureContext } from "./task.ts";

/** Parameters of the comparison of scores. */
type Comparison = Pick<MeasureContext, "protocol" | "scoreRounding">;

/** Two columns of scores, a pair per row. */
export interface ComparedScores {
  readonly first: Float64Array;
  readonly second: Float64Array;
  /** Absent if scores are compared exactly. */
  readonly ties?: TieTolerance;
}

/**
 * Pairs of log-likelihoods with ties by the protocol.
 *
 * Corrected: scores that differ by no more than the rounding of both are tied. Paper: exact comparison; those
 * of a float32 model are rounded to float32 first, since the original adds log-likelihoods in float32 (quirk
 * Q16).
 */
export function comparedScores(
  first: Float64Array,
  second: Float64Array,
  { protocol, scoreRounding = 0 }: Comparison,
): ComparedScores {
  if (protocol === "paper") {
    return { first: paperScores(first, scoreRounding), second: paperScores(second, scoreRounding) };
  }
  return settled(first, second, {
    rounding: scoreRounding,
    toleranceOf: (i) => scoreRounding * (Math.abs(first[i]) + Math.abs(second[i])),
  });
}

/** Log-likelihoods in the original's precision: float32 unless the model's rounding is finer. */
export function paperScores<T extends Float64Array | readonly number[]>(scores: T, scoreRounding = 0): T {
  return scoreRounding >= FLOAT32_ROUNDING ? (scores.map(Math.fround) as T) : scores;
}

/**
 * Pairs of cosine distances between vectors of float32 states. Corrected: a relative error ε of a vector
 * changes a distance d by at most √(2d) ε, and distances closer than the sum of both are tied. Paper: exact
 * comparison.
 */
export function comparedDistances(
  first: Float64Array,
  second: Float64Array,
  { protocol }: Comparison,
): ComparedScores {
  if (protocol === "paper") return { first, second };
  return settled(first, second, {
    rounding: FLOAT32_ROUNDING,
    toleranceOf: (i) => FLOAT32_ROUNDING * (Math.sqrt(2 * first[i]) + Math.sqrt(2 * second[i])),
  });
}

/** Pairs with differences within the tolerance set to ties. */
export function settled(
  first: Float64Array,
  second: Float64Array,
  { rounding, toleranceOf }: { readonly rounding: number; readonly toleranceOf: (pair: number) => number },
): ComparedScores {
  if (rounding === 0) return { first, second };
  const { second: other, ...found } = settleTies(first, second, toleranceOf);
  return { first, second: other, ties: { rounding, ...found } };
}
