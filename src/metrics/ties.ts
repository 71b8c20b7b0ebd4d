import { requireSameLength } from "./input-checks.ts";

/** Machine epsilon of float32: the spacing of float32 numbers relative to their size. */
export const FLOAT32_ROUNDING = 2 ** -23;
const FLOAT64_UNIT = 2 ** -53;

/**
 * Relative rounding error of a score whose model does not state one.
 *
 * The machine epsilon of float32 where every score is a float32 number. Else that of a float64 sum of `terms`
 * numbers of one sign, whose relative error is at most (terms − 1) · 2⁻⁵³ (Higham 2002, Accuracy and
 * Stability of Numerical Algorithms, section 4.2).
 *
 * @param terms  summands of a score, such as the bases of a sequence
 */
export function estimatedRounding(scores: Iterable<number>, terms: number): number {
  for (const score of scores) {
    if (Math.fround(score) !== score) return terms * FLOAT64_UNIT;
  }
  return FLOAT32_ROUNDING;
}

/** Second scores, without differences from the first that are rounding errors. */
export interface SettledScores {
  /** The second scores, replaced by the first where they differ by no more than the tolerance. */
  readonly second: Float64Array;
  /** Largest tolerance of a pair, in units of the scores; 0 without pairs. */
  readonly tolerance: number;
  /** Number of pairs that tie only because of the tolerance. */
  readonly byRounding: number;
}

/**
 * Turns pairs of scores that differ by no more than their rounding error into ties.
 *
 * @param toleranceOf  tolerance of pair i, in units of the scores
 * @throws {InputError} when the lengths differ
 */
export function settleTies(
  first: Float64Array,
  second: Float64Array,
  toleranceOf: (pair: number) => number,
): SettledScores {
  requireSameLength(first, second, ["first scores", "second scores"]);
  let largest = 0;
  let byRounding = 0;
  const settled = second.map((score, i) => {
    const tolerance = toleranceOf(i);
    largest = Math.max(largest, tolerance);
    const difference = Math.abs(score - first[i]);
    if (difference > 0 && difference <= tolerance) byRounding++;
    return difference <= tolerance ? first[i] : score;
  });
  return { second: settled, tolerance: largest, byRounding };
}
