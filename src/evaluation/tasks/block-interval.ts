import { blockEstimate } from "../../metrics/block-estimate.ts";
import type { BlockStatistic, Blocks } from "../../metrics/blocks.ts";
import type { Estimate } from "../../metrics/intervals.ts";

/**
 * A task's statistic with its interval over blocks.
 *
 * @param range  ends of the statistic's range, as `blockEstimate` takes it
 */
export function blockInterval(
  blocks: Blocks,
  statistic: BlockStatistic,
  range?: readonly [least: number, most: number],
): Estimate {
  return blockEstimate(blocks, statistic, range === undefined ? {} : { range });
}
