import { requireClasses, requireFinite, requireSameLength } from "./input-checks.ts";
import { logSoftmax } from "./log-softmax.ts";
import type { Matrix } from "./matrix.ts";

/**
 * Cross-entropy of each row: minus the log-probability of its true class, in nats. Its mean over rows is the loss that
 * training minimises; the original divides sums of batch means by rows instead (quirk Q13), which batches of these give.
 *
 * @param logits  [rows, classes]
 * @param labels  true class of each row, from 0
 * @throws {InputError} when there is not one label per row, a label is no class, or a logit is not finite
 */
export function crossEntropies(logits: Matrix, labels: ArrayLike<number>): Float64Array {
  requireSameLength(labels, { length: logits.rows }, ["labels", "rows of logits"]);
  requireClasses(labels, logits.columns);
  const { data, columns } = logSoftmax(logits);
  return Float64Array.from({ length: labels.length }, (_, row) => -data[row * columns + labels[row]!]!);
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
  return Float64Array.from({ length: target.length }, (_, row) => (predicted[row]! - target[row]!) ** 2);
}
