import { requireClasses, requireFinite, requireSameLength } from "./input-checks.ts";
import { type Matrix, requireMatrix } from "./matrix.ts";

/**
 * Cross-entropy of each row: minus the log-probability of its true class, in nats. Its mean over rows is the
 * training loss; the original divides the sum of batch means by the number of rows instead (quirk Q13).
 *
 * @param logits  [rows, classes]
 * @param labels  true class of each row, from 0
 * @throws {InputError} when there is not one label per row, a label is not a class, or a logit is not finite
 */
export function crossEntropyOfRows(logits: Matrix, labels: ArrayLike<number>): Float64Array {
  requireSameLength(labels, { length: logits.rows }, ["labels", "rows of logits"]);
  requireClasses(labels, logits.columns);
  const { data, columns } = logProbabilities(logits);
  return Float64Array.from({ length: labels.length }, (_, row) => -data[row * columns + labels[row]]);
}

/**
 * Squared error of each row; of log(1 + counts) in Task 4. Its mean over rows is the mean squared error.
 *
 * @throws {InputError} when lengths differ or a value is not finite
 */
export function squaredErrors(predicted: ArrayLike<number>, target: ArrayLike<number>): Float64Array {
  requireSameLength(predicted, target, ["predictions", "targets"]);
  requireFinite(predicted, "prediction");
  requireFinite(target, "target");
  return Float64Array.from({ length: target.length }, (_, row) => (predicted[row] - target[row]) ** 2);
}

/**
 * Log-softmax of each row: the log-probabilities (natural logarithm) of the classes. In float64, from
 * differences to the largest logit of the row, so that no exponential overflows.
 *
 * @param logits  [rows, classes]
 * @returns       [rows, classes]; the exponentials of a row sum to 1
 * @throws {InputError} when a logit is not finite
 */
export function logProbabilities(logits: Matrix): Matrix {
  requireMatrix(logits, "logit");
  const { data, rows, columns } = logits;
  const result = new Float64Array(data.length);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    const normaliser = logSumExp(data.subarray(start, start + columns));
    for (let i = start; i < start + columns; i++) result[i] = data[i] - normaliser;
  }
  return { data: result, rows, columns };
}

/** ln Σ exp(x); -Infinity for no numbers. */
export function logSumExp(values: ArrayLike<number>): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i]);
  if (largest === Number.NEGATIVE_INFINITY) return largest;
  let total = 0;
  for (let i = 0; i < values.length; i++) total += Math.exp(values[i] - largest);
  return largest + Math.log(total);
}
