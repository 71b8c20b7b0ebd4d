import type { BlockStatistic, Blocks } from "./blocks.ts";
import { type BootstrapOptions, blockBootstrap } from "./bootstrap.ts";
import type { Estimate } from "./estimate.ts";
import { onLogOdds } from "./intervals.ts";
import { blockJackknife } from "./jackknife.ts";

/**
 * From how many blocks on the percentile bootstrap is trusted. In simulations of shares between 0.5 and 0.96, with blocks
 * of unequal size and difficulty, its nominal 95 % covered in 85–91 % of cases with 10 blocks, 90–93 % with 30 and
 * 93–95 % with 150; the jackknife's in 91–96 % from 10 blocks on (a part of it is repeated by the tests).
 *
 * A class with hardly a row in most blocks leaves less: an AUROC of 0.93 with 2 % positives, 20 among 1,000 rows, was covered
 * in 90 % of cases with 99 blocks (jackknife) and with 110 (bootstrap).
 */
export const ENOUGH_BLOCKS = 100;

export interface BlockEstimateOptions extends BootstrapOptions {
  /**
   * Ends of what the statistic can be: bounds beyond are cut off. [0, 1], for a share or an area, makes the jackknife's
   * interval on the scale of the log-odds.
   */
  readonly range?: readonly [least: number, most: number];
}

/**
 * A statistic with the interval that its number of blocks allows: the percentile bootstrap from 100 blocks on, the
 * delete-one-block jackknife with a t interval below. `method` tells which.
 *
 * With few blocks, value ± t·se is too sure of areas near 1: for an AUROC of 0.99 it covered in 87 % of cases with six blocks.
 * So the interval of what lies in [0, 1] is made from ln(v/(1 − v)), whose standard error is se/(v(1 − v)), and turned back,
 * which covered in 94 %, and in 93–99 % with three to thirty blocks for areas of 0.67 to 0.99.
 *
 * For accuracies and other shares prefer `clusteredProportion`, which also knows what to say at 0 and at 1.
 *
 * @returns  bounds NaN where blocks cannot tell: fewer than two of them, the statistic undefined without one of
 *           them, or no variation at all between them (a perfect AUROC has an unknown interval, not one of width 0)
 * @throws {InputError} as `blockBootstrap` and `blockJackknife`
 */
export function blockEstimate(
  blocks: Blocks,
  statistic: BlockStatistic,
  { range = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY], ...options }: BlockEstimateOptions,
): Estimate {
  const few = blocks.sizes.length < ENOUGH_BLOCKS;
  const { value, low, high, n, method } = few
    ? blockJackknife(blocks, statistic, options.level)
    : blockBootstrap(blocks, statistic, options);
  if (low === high) return { value, low: Number.NaN, high: Number.NaN, n, method };
  const [least, most] = range;
  if (few && least === 0 && most === 1 && value > 0 && value < 1) {
    return { value, ...onLogOdds(value, high - value), n, method };
  }
  return { value, low: Math.max(low, least), high: Math.min(high, most), n, method };
}
