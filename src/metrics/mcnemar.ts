import { incompleteBeta } from "./distributions/incomplete-beta.ts";
import type { Estimate } from "./estimate.ts";
import { requireBinary, requireSameLength } from "./input-checks.ts";
import { criticalValue } from "./intervals.ts";

export interface McNemarResult {
  /** Rows that only the first model gets right. */
  readonly onlyFirst: number;
  /** Rows that only the second model gets right. */
  readonly onlySecond: number;
  /** Exact and two-sided: the rows that tell the models apart are a fair coin; 1 when there are none. */
  readonly p: number;
  /** Accuracy of the first minus accuracy of the second. */
  readonly difference: Estimate;
}

/**
 * McNemar's exact test: are two models right about equally many of the same rows? For independent rows; with blocks,
 * `compareOver` and `meanOver`.
 *
 * @param first   1 where the first model is right, else 0, one per row
 * @param second  the same of the second model, in the same order
 * @returns       the difference with Bonett and Price's interval, method "bonett-price"; NaN without rows
 * @throws {InputError} when lengths differ, an outcome is neither 0 nor 1 or the level outside (0, 1)
 * @see McNemar 1947, doi:10.1007/BF02295996; Bonett & Price 2012, doi:10.3102/1076998611411915
 */
export function mcnemar(first: ArrayLike<number>, second: ArrayLike<number>, level = 0.95): McNemarResult {
  requireSameLength(first, second, ["outcomes of the first model", "of the second"]);
  requireBinary(first);
  requireBinary(second);
  const z = criticalValue(level);
  const n = first.length;
  let onlyFirst = 0;
  let onlySecond = 0;
  for (let row = 0; row < n; row++) {
    if (first[row]! > second[row]!) onlyFirst++;
    if (first[row]! < second[row]!) onlySecond++;
  }
  const fewer = Math.min(onlyFirst, onlySecond);
  const more = Math.max(onlyFirst, onlySecond);
  // P(at most `fewer` heads of fewer + more): a binomial tail is an incomplete beta function.
  const p = fewer === more ? 1 : Math.min(2 * incompleteBeta(0.5, 0.5, more, fewer + 1), 1);

  const a = (onlyFirst + 1) / (n + 2);
  const b = (onlySecond + 1) / (n + 2);
  const half = z * Math.sqrt((a + b - (a - b) ** 2) / (n + 2));
  const difference = {
    value: (onlyFirst - onlySecond) / n,
    low: n === 0 ? Number.NaN : Math.max(a - b - half, -1),
    high: n === 0 ? Number.NaN : Math.min(a - b + half, 1),
    n,
    method: "bonett-price",
  };
  return { onlyFirst, onlySecond, p, difference };
}
