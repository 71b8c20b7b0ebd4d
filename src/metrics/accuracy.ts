import { requireClasses, requireSameLength } from "./input-checks.ts";
import { type Estimate, wilsonInterval } from "./intervals.ts";
import { type Matrix, requireMatrix } from "./matrix.ts";
import { mean, sum } from "./mean.ts";

/**
 * Class with the largest logit of each row; the lowest such class on a tie.
 *
 * @param logits  [rows, classes]; log-probabilities work too
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
 * 1 where the predicted class is the true one, else 0: the outcomes that `clusteredProportion` and `meanOver`
 * take.
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
 * Share of rows whose predicted class is the true one. With unbalanced classes, compare it with the share of
 * the largest class.
 *
 * @returns  in [0, 1]; NaN without rows
 * @throws {InputError} as `correctness`
 */
export function accuracy(predicted: ArrayLike<number>, labels: ArrayLike<number>): number {
  return mean(correctness(predicted, labels));
}

/**
 * Accuracy with Wilson's interval, for independent rows. For rows in blocks:
 * `clusteredProportion(correctness(...), blocks)`.
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
