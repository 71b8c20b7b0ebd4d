import { type BlockSizes, type BlockStatistic, rowsIn } from "./blocks.ts";
import { studentTQuantile, studentTUpperTail } from "./distributions.ts";
import { requireLevel } from "./input-checks.ts";
import type { Estimate } from "./intervals.ts";
import { jackknifeError, type LeftOutGroups, leaveOutGroups } from "./jackknife.ts";

/** Options of `blockEstimate`. */
export interface BlockEstimateOptions {
  /**
   * Range of the statistic, which selects the scale of the interval: log-odds for [0, 1], Fisher's z for [−1,
   * 1], logarithm for [0, ∞), else the statistic itself.
   */
  readonly range?: readonly [least: number, most: number];
  /** Default 0.95. */
  readonly level?: number;
}

/** An estimate, and the test that matches its interval. */
export interface BlockInference {
  readonly estimate: Estimate;
  /**
   * Two-sided p-value for a true value: below 1 − level exactly where the interval excludes it. NaN where the
   * bounds are NaN.
   */
  readonly pAgainst: (value: number) => number;
}

/** A scale on which the distribution of a statistic is closer to Student's t. */
interface Scale {
  readonly to: (value: number) => number;
  readonly from: (scaled: number) => number;
  /** Derivative of `to`. */
  readonly slope: (value: number) => number;
}

const LINEAR: Scale = { to: (v) => v, from: (v) => v, slope: () => 1 };
const LOGARITHM: Scale = { to: Math.log, from: Math.exp, slope: (v) => 1 / v };
const FISHER_Z: Scale = { to: Math.atanh, from: Math.tanh, slope: (v) => 1 / (1 - v * v) };
const LOG_ODDS: Scale = {
  to: (v) => Math.log(v / (1 - v)),
  from: (x) => 1 / (1 + Math.exp(-x)),
  slope: (v) => 1 / (v * (1 - v)),
};

function scaleOf([least, most]: readonly [number, number]): Scale {
  if (least === 0 && most === 1) return LOG_ODDS;
  if (least === -1 && most === 1) return FISHER_Z;
  return least === 0 && most === Number.POSITIVE_INFINITY ? LOGARITHM : LINEAR;
}

/**
 * A statistic with the t interval of the delete-one-block jackknife, over blocks whose length follows from
 * the data (`leaveOutGroups`), and the matching test.
 *
 * The jackknife is computed from transformed values, on the scale of the range, and not by the delta method:
 * an AUROC of 0.95 with 40 positives is covered in 93 to 94 % of cases instead of 91 %.
 *
 * For accuracies and other proportions prefer `clusteredProportion`, which also has an interval at 0 and at
 * 1.
 *
 * @returns  `<kind>-jackknife`; bounds NaN where blocks show no variation: fewer than two of them, the
 *           statistic undefined without one of them, or equal without each (the interval of a perfect AUROC
 *           is unknown, not of width 0)
 * @throws {InputError} when the level is outside (0, 1)
 */
export function blockInference(
  blocks: BlockSizes,
  statistic: BlockStatistic,
  { range, level = 0.95 }: BlockEstimateOptions = {},
): BlockInference {
  requireLevel(level);
  return inferenceFrom(blocks, leaveOutGroups(blocks, statistic), { level, ...(range && { range }) });
}

/** `blockInference` of a statistic whose values without each group are known. */
export function inferenceFrom(
  blocks: BlockSizes,
  { value, without, basis }: LeftOutGroups,
  { range, level = 0.95 }: BlockEstimateOptions = {},
): BlockInference {
  const { to, from, slope } = range === undefined ? LINEAR : scaleOf(range);
  const centre = to(value);
  const scaled = without.map(to);
  // Without one of the blocks a ranking may be perfect, and its log-odds infinite: then the delta method.
  const error = scaled.every(Number.isFinite)
    ? jackknifeError(centre, scaled)
    : jackknifeError(value, without) * slope(value);
  const known = error > 0 && Number.isFinite(error);
  const half = known ? studentTQuantile((1 - level) / 2, basis.dof) * error : Number.NaN;
  return {
    estimate: {
      value,
      low: from(centre - half),
      high: from(centre + half),
      n: rowsIn(blocks),
      method: `${blocks.kind}-jackknife`,
      basis,
    },
    pAgainst: (other) =>
      known ? 2 * studentTUpperTail(Math.abs(centre - to(other)) / error, basis.dof) : Number.NaN,
  };
}

/** The estimate of `blockInference`. */
export const blockEstimate = (
  blocks: BlockSizes,
  statistic: BlockStatistic,
  options?: BlockEstimateOptions,
): Estimate => blockInference(blocks, statistic, options).estimate;

/** Comparison of two models on the same rows by one statistic. */
export interface ModelComparison {
  /** Statistic of the first model minus that of the second, with its interval. */
  readonly difference: Estimate;
  /** Two-sided p-value for a difference of 0; NaN where it is undefined. */
  readonly p: number;
}

/**
 * Compares two models on the same rows in blocks. Each block is left out for both models together, so that
 * rows which are easy or hard for both cancel. Works for any statistic: `meanOver(pairedOutcomes(...))`,
 * `aurocOver`, `spearmanOver`... Interval and p-value come from the same jackknife (`blockInference`).
 *
 * @param first   statistic of the first model over the blocks
 * @param second  the same statistic of the second model over the same blocks
 * @returns       bounds and p NaN where blocks show no variation (see `blockInference`), as for a model
 *                compared with itself
 * @throws {InputError} when the level is outside (0, 1)
 */
export function compareOver(
  blocks: BlockSizes,
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
