import type { BlockStatistic, Blocks } from "./blocks.ts";
import { studentTQuantile } from "./distributions/student-t.ts";
import type { Estimate } from "./estimate.ts";
import { requireFinite, requireLevel, requireSameLength } from "./input-checks.ts";
import { mean, sum } from "./sum.ts";

/**
 * Mean with the t interval of independent rows: mean ± t·s/√n.
 *
 * @returns  bounds NaN for fewer than two values, value NaN for none; method "t"
 * @throws {InputError} when a value is not finite or the level outside (0, 1)
 */
export function meanEstimate(values: ArrayLike<number>, level = 0.95): Estimate {
  requireFinite(values, "value");
  requireLevel(level);
  const n = values.length;
  const value = mean(values);
  const squares = Float64Array.from(values, (x) => (x - value) ** 2);
  const half = studentTQuantile((1 - level) / 2, n - 1) * Math.sqrt(sum(squares) / (n - 1) / n);
  return { value, low: value - half, high: value + half, n, method: "t" };
}

/**
 * Mean over rows that come in blocks, as a function of how often each block is there. Accuracy, paired accuracy
 * and the share of anything are means of 0s and 1s.
 *
 * @returns  NaN for a choice of blocks without rows
 * @throws {InputError} when there is not one value per row, or one is not finite
 */
export function meanOver(values: ArrayLike<number>, blocks: Blocks): BlockStatistic {
  requireSameLength(values, blocks.of, ["values", "rows in blocks"]);
  requireFinite(values, "value");
  const sums = new Float64Array(blocks.sizes.length);
  for (let row = 0; row < values.length; row++) sums[blocks.of[row]!]! += values[row]!;
  return (times) => {
    let total = 0;
    let rows = 0;
    for (let block = 0; block < times.length; block++) {
      total += times[block]! * sums[block]!;
      rows += times[block]! * blocks.sizes[block]!;
    }
    return total / rows;
  };
}
