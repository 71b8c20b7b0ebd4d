import type { BlockStatistic, Blocks } from "./blocks.ts";
import { studentTQuantile } from "./distributions/student-t.ts";
import type { Estimate } from "./estimate.ts";
import { requireLevel, requireSameLength } from "./input-checks.ts";

/** An estimate whose interval comes from a standard error. */
export interface JackknifeEstimate extends Estimate {
  readonly standardError: number;
  /** Degrees of freedom of the t interval: effective number of blocks − 1, at least 1; 0 with fewer than two blocks. */
  readonly dof: number;
}

/**
 * Delete-one-block jackknife: how far the statistic moves when a block is left out tells its standard error,
 * √((B − 1)/B · Σ (value without block − value)²), and the interval is value ± t · standard error.
 *
 * Meant for few blocks, where `blockBootstrap` is too narrow: with three chromosomes t is 4.3 instead of 1.96, and the
 * interval is as wide as three chromosomes deserve. Blocks may differ in size and in spread; unequal ones count as
 * (Σ size)²/Σ size² equal ones for the degrees of freedom. For smooth statistics (means, AUROC, correlations), not
 * for medians.
 *
 * @returns  `<kind>-jackknife`; bounds NaN with fewer than two blocks, or where leaving one out makes the statistic
 *           undefined (all positives lie in one block). The bounds are not cut off at the ends of the statistic's range.
 * @throws {InputError} when the level is outside (0, 1)
 * @see MacKinnon, Nielsen & Webb 2023, doi:10.1016/j.jeconom.2022.04.001 (CV3)
 */
export function blockJackknife(blocks: Blocks, statistic: BlockStatistic, level = 0.95): JackknifeEstimate {
  const times = new Int32Array(blocks.sizes.length).fill(1);
  const value = statistic(times);
  const without = Float64Array.from({ length: blocks.sizes.length }, (_, block) => {
    times[block] = 0;
    const rest = statistic(times);
    times[block] = 1;
    return rest;
  });
  return jackknifeOf(blocks, { value, without }, level);
}

/**
 * The same of a statistic that was computed already.
 *
 * @param found  the statistic of all rows, and without each block in turn: [blocks]
 * @throws {InputError} when there is not one value per block, or the level is outside (0, 1)
 */
export function jackknifeOf(
  blocks: Blocks,
  { value, without }: { readonly value: number; readonly without: ArrayLike<number> },
  level = 0.95,
): JackknifeEstimate {
  requireLevel(level);
  requireSameLength(without, blocks.sizes, ["values without a block", "blocks"]);
  const count = blocks.sizes.length;
  const n = blocks.of.length;
  let squaredSizes = 0;
  let variance = 0;
  for (let block = 0; block < count; block++) {
    variance += ((count - 1) / count) * (without[block]! - value) ** 2;
    squaredSizes += blocks.sizes[block]! ** 2;
  }
  const standardError = Math.sqrt(variance);
  // Two very unequal blocks are still two: below one degree of freedom t means nothing.
  const dof = count < 2 ? 0 : Math.max((n * n) / squaredSizes - 1, 1);
  const half = studentTQuantile((1 - level) / 2, dof) * standardError;
  return {
    value,
    low: value - half,
    high: value + half,
    n,
    method: `${blocks.kind}-jackknife`,
    standardError,
    dof,
  };
}
