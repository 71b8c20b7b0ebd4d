import { ENOUGH_BLOCKS } from "./block-estimate.ts";
import type { BlockStatistic, Blocks } from "./blocks.ts";
import { type BootstrapOptions, blockReplicates, middleOf } from "./bootstrap.ts";
import { studentTUpperTail } from "./distributions/student-t.ts";
import type { Estimate } from "./estimate.ts";
import { blockJackknife } from "./jackknife.ts";

/** Two models asked the same rows, compared by one statistic. */
export interface ModelComparison {
  /** The statistic of the first model minus that of the second, with its interval. */
  readonly difference: Estimate;
  /** Two-sided, for a difference of 0; NaN where it is undefined. */
  readonly p: number;
}

/**
 * Compares two models on the same rows in blocks: blocks are drawn (or left out) for both together, so that what makes
 * rows easy or hard for both cancels. Works for any statistic: `meanOver(pairedOutcomes(...))`, `aurocOver`,
 * `spearmanOver`...
 *
 * From 100 blocks on a paired percentile bootstrap, whose p is twice the smaller share of resamples on either side of 0
 * (with one added, so never below 2/(resamples + 1)); below, the delete-one-block jackknife and Student's t.
 *
 * @param first   statistic of the first model over the blocks
 * @param second  the same statistic of the second model over the same blocks
 * @returns       bounds and p NaN where blocks cannot tell (see `blockEstimate`), as for a model and itself
 * @throws {InputError} as `blockBootstrap` and `blockJackknife`
 */
export function compareOver(
  blocks: Blocks,
  first: BlockStatistic,
  second: BlockStatistic,
  options: BootstrapOptions,
): ModelComparison {
  const statistic: BlockStatistic = (times) => first(times) - second(times);
  if (blocks.sizes.length < ENOUGH_BLOCKS) {
    const { value, low, high, n, method, standardError, dof } = blockJackknife(
      blocks,
      statistic,
      options.level,
    );
    if (standardError === 0) return undecided(value, n, method);
    const p = 2 * studentTUpperTail(Math.abs(value) / standardError, dof);
    return { difference: { value, low, high, n, method }, p };
  }
  const value = statistic(new Int32Array(blocks.sizes.length).fill(1));
  const n = blocks.of.length;
  const method = `${blocks.kind}-bootstrap`;
  const replicates = blockReplicates(blocks.sizes.length, statistic, options);
  const [low, high] = middleOf(replicates, options.level);
  if (Number.isNaN(low) || low === high) return undecided(value, n, method);
  const defined = replicates.filter((replicate) => !Number.isNaN(replicate));
  const atMost = defined.filter((replicate) => replicate <= 0).length;
  const atLeast = defined.filter((replicate) => replicate >= 0).length;
  const p = Math.min((2 * (Math.min(atMost, atLeast) + 1)) / (defined.length + 1), 1);
  return { difference: { value, low, high, n, method }, p };
}

function undecided(value: number, n: number, method: string): ModelComparison {
  return { difference: { value, low: Number.NaN, high: Number.NaN, n, method }, p: Number.NaN };
}
