import { Pcg64 } from "../../base/pcg64.ts";
import { blockEstimate } from "../../metrics/block-estimate.ts";
import type { BlockStatistic, Blocks } from "../../metrics/blocks.ts";
import type { Estimate } from "../../metrics/estimate.ts";

/** One seed for the draws of every metric's bootstrap: equal scores have equal intervals. */
export const BOOTSTRAP_SEED = 0;

/**
 * A task's statistic with its interval over genomic blocks, the same whenever it is computed.
 *
 * @param range  ends of what the statistic can be, as `blockEstimate` takes it
 */
export function blockInterval(
  blocks: Blocks,
  statistic: BlockStatistic,
  range?: readonly [least: number, most: number],
): Estimate {
  const rng = new Pcg64(BOOTSTRAP_SEED);
  return blockEstimate(blocks, statistic, range === undefined ? { rng } : { rng, range });
}
