import type { BlockStatistic, Blocks } from "./blocks.ts";
import { requirePairs } from "./correlation.ts";
import type { Estimate } from "./intervals.ts";
import { meanEstimate, meanOver } from "./mean.ts";

/**
 * Mean squared error with an interval for independent rows: MSE · exp(±t·s/(MSE·√n)), the t interval of the
 * mean on the scale of the logarithm, so that both bounds are positive. s is the standard deviation of the
 * squared errors.
 *
 * @param predicted  one number per row
 * @param measured   one number per row
 * @returns          value NaN without rows; bounds NaN for fewer than two rows or without any error; method
 *                   "log-t"
 * @throws {InputError} when lengths differ, a number is not finite, or the level is outside (0, 1)
 */
export function meanSquaredErrorEstimate(
  predicted: ArrayLike<number>,
  measured: ArrayLike<number>,
  level = 0.95,
): Estimate {
  const { value, high, n } = meanEstimate(squaredErrors(predicted, measured), level);
  const factor = Math.exp((high - value) / value);
  return { value, low: value / factor, high: value * factor, n, method: "log-t" };
}

/**
 * Mean squared error of rows in blocks, as a function of how often each block is counted.
 *
 * @returns  NaN when no row is counted
 * @throws {InputError} as `meanSquaredErrorEstimate`, or when the number of rows is not the number of rows in
 *                      blocks
 */
export const meanSquaredErrorOver = (
  predicted: ArrayLike<number>,
  measured: ArrayLike<number>,
  blocks: Blocks,
): BlockStatistic => meanOver(squaredErrors(predicted, measured), blocks);

function squaredErrors(predicted: ArrayLike<number>, measured: ArrayLike<number>): Float64Array {
  requirePairs(predicted, measured);
  return Float64Array.from(predicted, (value, row) => (value - measured[row]) ** 2);
}
