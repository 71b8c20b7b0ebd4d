import { squaredErrors } from "../../../metrics/losses.ts";
import { mean, sum } from "../../../metrics/mean.ts";
import type { ActivityColumns } from "./columns.ts";

/** (log(1 + counts) − prediction)² of each row. */
export const errorsOf = ({ predicted, target }: Pick<ActivityColumns, "predicted" | "target">) =>
  squaredErrors(predicted, target);

/**
 * The mean of the batches' mean losses, which counts a row of a short last batch for more than another (quirk Q11).
 * @returns  NaN where there is no row
 */
export function meanOfBatches(errors: Float64Array, batchSize: number): number {
  const means = batchMeans(errors, batchSize);
  return sum(means) / means.length;
}

export function batchMeans(errors: Float64Array, batchSize: number): number[] {
  const means: number[] = [];
  for (let start = 0; start < errors.length; start += batchSize) {
    means.push(mean(errors.subarray(start, start + batchSize)));
  }
  return means;
}
