import { incompleteBeta } from "./distributions.ts";
import { requireBinary, requireClasses, requireSameLength } from "./input-checks.ts";
import { criticalValue, type Estimate, wilsonInterval } from "./intervals.ts";
import { type Matrix, requireMatrix } from "./matrix.ts";
import { mean, sum } from "./mean.ts";

/**
 * Class with the largest logit of each row; of equal ones the lowest class.
 *
 * @param logits  [rows, classes]; log-probabilities do as well
 * @throws {InputError} when a logit is not finite
 */
export function predictedClasses(logits: Matrix): Int32Array {
  requireMatrix(logits, "logit");
  const { data, rows, columns } = logits;
  return Int32Array.from({ length: rows }, (_, row) => {
    let best = 0;
    for (let k = 1; k < columns; k++) if (data[row * columns + k] > data[row * columns + best]) best = k;
    return best;
  });
}

/**
 * 1 where the predicted class is the true one, else 0: what `clusteredProportion`, `meanOver` and `mcnemar` take.
 *
 * @throws {InputError} when lengths differ, or a class is not a whole number from 0
 */
export function correctness(predicted: ArrayLike<number>, labels: ArrayLike<number>): Float64Array {
  requireSameLength(predicted, labels, ["predicted classes", "labels"]);
  requireClasses(predicted);
  requireClasses(labels);
  return Float64Array.from({ length: labels.length }, (_, row) => (predicted[row] === labels[row] ? 1 : 0));
}

/**
 * Share of rows whose predicted class is the true one; with unequal classes compare it with the share of the largest.
 *
 * @returns  in [0, 1]; NaN without rows
 * @throws {InputError} as `correctness`
 */
export function accuracy(predicted: ArrayLike<number>, labels: ArrayLike<number>): number {
  return mean(correctness(predicted, labels));
}

/**
 * Accuracy with Wilson's interval, for independent rows; with blocks, `clusteredProportion(correctness(...), blocks)`.
 *
 * @throws {InputError} as `correctness`, or when the level is outside (0, 1)
 */
export function accuracyEstimate(
  predicted: ArrayLike<number>,
  labels: ArrayLike<number>,
  level = 0.95,
): Estimate {
  return wilsonInterval(sum(correctness(predicted, labels)), labels.length, level);
}

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
    if (first[row] > second[row]) onlyFirst++;
    if (first[row] < second[row]) onlySecond++;
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
