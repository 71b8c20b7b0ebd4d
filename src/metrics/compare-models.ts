import { blockInference } from "./block-estimate.ts";
import type { BlockStatistic, Blocks } from "./blocks.ts";
import type { Estimate } from "./estimate.ts";

/** Two models evaluated on the same rows, compared by one statistic. */
export interface ModelComparison {
  /** The statistic of the first model minus that of the second, with its interval. */
  readonly difference: Estimate;
  /** Two-sided, for a difference of 0; NaN where it is undefined. */
  readonly p: number;
}

/**
 * Compares two models on the same rows in blocks: blocks are left out for both together, so that what makes
 * rows easy or hard for both cancels. Works for any statistic: `meanOver(pairedOutcomes(...))`, `aurocOver`,
 * `spearmanOver`... Interval and p come from the same jackknife (`blockInference`).
 *
 * @param first   statistic of the first model over the blocks
 * @param second  the same statistic of the second model over the same blocks
 * @returns       bounds and p NaN where blocks show no variation (see `blockInference`), as for a model and itself
 * @throws {InputError} when the level is outside (0, 1)
 */
export function compareOver(
  blocks: Blocks,
  first: BlockStatistic,
  second: BlockStatistic,
  level = 0.95,
): ModelComparison {
  const classes = [...(first.classes ?? []), ...(second.classes ?? [])];
  const difference: BlockStatistic = Object.assign((times: Int32Array) => first(times) - second(times), {
    classes,
  });
  const { estimate, pAgainst } = blockInference(blocks, difference, { level });
  return { difference: estimate, p: pAgainst(0) };
}
