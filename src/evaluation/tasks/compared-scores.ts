import { FLOAT32_ROUNDING, settleTies } from "../../metrics/ties.ts";
import type { TieTolerance } from "./measurement.ts";
import type { MeasureContext } from "./task.ts";

/** How a protocol compares scores: all of a `MeasureContext` that matters to it. */
type Comparison = Pick<MeasureContext, "protocol" | "scoreRounding">;

/** Two columns of scores, a pair per row. */
export interface ComparedScores {
  readonly first: Float64Array;
  readonly second: Float64Array;
  /** Absent where scores are compared exactly. */
  readonly ties?: TieTolerance;
}

/**
 * Pairs of log-likelihoods as a protocol compares them.
 *
 * Corrected: two that differ by no more than the rounding of both are equal. Paper: exactly, those of a float32 model rounded to
 * float32 first, since the original adds log-likelihoods in float32 (quirk Q16).
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

/** Log-likelihoods as the original has them: float32 where the model's own rounding is no finer. */
export function paperScores<T extends Float64Array | readonly number[]>(scores: T, scoreRounding = 0): T {
  return scoreRounding >= FLOAT32_ROUNDING ? (scores.map(Math.fround) as T) : scores;
}

/**
 * Pairs of cosine distances between vectors of float32 states. Corrected: an error of a vector, relative to its length,
 * moves a distance d by at most √(2d) times as much, so distances closer than that of both are equal. Paper: exactly.
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

/** Pairs that differ by no more than a tolerance made equal. */
export function settled(
  first: Float64Array,
  second: Float64Array,
  { rounding, toleranceOf }: { readonly rounding: number; readonly toleranceOf: (pair: number) => number },
): ComparedScores {
  if (rounding === 0) return { first, second };
  const { second: other, ...found } = settleTies(first, second, toleranceOf);
  return { first, second: other, ties: { rounding, ...found } };
}
