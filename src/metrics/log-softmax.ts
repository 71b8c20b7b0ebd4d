import { type Matrix, requireMatrix } from "./matrix.ts";

/**
 * Logarithm of the softmax of each row: the log-probabilities (natural logarithm) of the classes.
 *
 * Computed in float64 from differences to the row's largest logit, so that no exponential overflows.
 *
 * @param logits  [rows, classes]
 * @returns       [rows, classes]; the exponentials of a row add up to 1
 * @throws {InputError} when a logit is not finite
 */
export function logSoftmax(logits: Matrix): Matrix {
  requireMatrix(logits, "logit");
  const { data, rows, columns } = logits;
  const result = new Float64Array(data.length);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    const normaliser = logSumExp(data.subarray(start, start + columns));
    for (let i = start; i < start + columns; i++) result[i] = data[i]! - normaliser;
  }
  return { data: result, rows, columns };
}

/** ln Σ exp(x); -Infinity for no numbers. */
export function logSumExp(values: ArrayLike<number>): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i]!);
  if (largest === Number.NEGATIVE_INFINITY) return largest;
  let total = 0;
  for (let i = 0; i < values.length; i++) total += Math.exp(values[i]! - largest);
  return largest + Math.log(total);
}
