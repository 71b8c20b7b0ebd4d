import { InputError } from "../base/errors.ts";
import type { NumberList } from "../base/typed-numbers.ts";
import { requireFinite } from "./input-checks.ts";

/**
 * Percentiles with linear interpolation between order statistics, as `numpy.percentile` computes them (same
 * rounding).
 *
 * @param values   in any order
 * @param percent  each in [0, 100]: 50 is the median
 * @returns        one number per entry of `percent`; NaN where there are no values
 * @throws {InputError} when a value is not finite or a percentage outside [0, 100]
 */
export function percentiles(values: ArrayLike<number>, percent: readonly number[]): number[] {
  requireFinite(values, "value");
  const sorted = new Float64Array(values).sort();
  return percentilesOfSorted({ length: sorted.length, at: (i) => sorted[i] }, percent);
}

/** `percentiles` of finite values in ascending order, which may be on disk. */
export function percentilesOfSorted(sorted: NumberList, percent: readonly number[]): number[] {
  return percent.map((q) => {
    if (!(q >= 0 && q <= 100)) throw new InputError(`${q} is not a percentage from 0 to 100`);
    if (sorted.length === 0) return Number.NaN;
    const position = (q / 100) * (sorted.length - 1);
    const below = Math.floor(position);
    const a = sorted.at(below);
    const b = sorted.at(Math.min(below + 1, sorted.length - 1));
    const fraction = position - below;
    // Interpolated from the nearer end, so that the end itself is exact.
    return fraction < 0.5 ? a + (b - a) * fraction : b - (b - a) * (1 - fraction);
  });
}

/** A single percentile, as `percentiles`. */
export function percentile(values: ArrayLike<number>, percent: number): number {
  return percentiles(values, [percent])[0];
}

/** The median; NaN without values. */
export function median(values: ArrayLike<number>): number {
  return percentile(values, 50);
}
