import { InputError } from "../base/errors.ts";
import { normalQuantile } from "./distributions.ts";
import { requireLevel } from "./input-checks.ts";

/**
 * Wald (normal) interval of a proportion: p ± z·√(p(1 − p)/n), clipped to [0, 1]. The interval published by
 * the original, as statsmodels' `proportion_confint(count, n, method="normal")` computes it.
 *
 * For comparison only: it shrinks to a point at 0 and at 1 and covers too rarely near them. Report
 * `wilsonInterval`, or a block interval where rows are not independent.
 *
 * @param successes  0 to n; may be a fraction (0.5 for a tie, or an accuracy times another n)
 * @param n          number of trials, which determines the width
 * @returns          NaN throughout for n = 0
 * @throws {InputError} when successes is outside [0, n] or the level outside (0, 1)
 */
export function waldInterval(successes: number, n: number, level = 0.95): Estimate {
  const value = proportion(successes, n, level);
  const half = criticalValue(level) * Math.sqrt((value * (1 - value)) / n);
  return { value, low: Math.max(value - half, 0), high: Math.min(value + half, 1), n, method: "wald" };
}

/**
 * Wilson's score interval of a proportion: the proportions that a two-sided score test does not reject.
 * Within [0, 1], and close to its nominal coverage for every p and for small n.
 *
 * Assumes independent trials, which rows along a genome are not: use `clusteredProportion` for them.
 *
 * @param successes  0 to n; may be a fraction (0.5 for a tie, which makes the interval slightly wide)
 * @returns          NaN throughout for n = 0
 * @throws {InputError} when successes is outside [0, n] or the level outside (0, 1)
 * @see Wilson 1927, doi:10.1080/01621459.1927.10502953
 */
export function wilsonInterval(successes: number, n: number, level = 0.95): Estimate {
  const value = proportion(successes, n, level);
  const z = criticalValue(level);
  const shrink = 1 + (z * z) / n;
  const centre = (value + (z * z) / (2 * n)) / shrink;
  const half = ((z / shrink) * Math.sqrt(value * (1 - value) + (z * z) / (4 * n))) / Math.sqrt(n);
  // Rounding may leave 1e-17 where the bound is exactly 0 or 1.
  const low = successes === 0 ? 0 : Math.max(centre - half, 0);
  const high = successes === n ? 1 : Math.min(centre + half, 1);
  return { value, low: n === 0 ? Number.NaN : low, high: n === 0 ? Number.NaN : high, n, method: "wilson" };
}

/**
 * Bounds of a value in (0, 1) that are symmetric on the scale of the log-odds ln(v/(1 − v)): always inside
 * (0, 1), and farther from the value on the side of 0.5.
 *
 * @param value  inside (0, 1)
 * @param half   z or t times the standard error of the value itself
 */
export function onLogOdds(value: number, half: number): { readonly low: number; readonly high: number } {
  const centre = Math.log(value / (1 - value));
  const step = half / (value * (1 - value));
  const inverse = (x: number) => 1 / (1 + Math.exp(-x));
  return { low: inverse(centre - step), high: inverse(centre + step) };
}

/**
 * Critical value z of a two-sided normal interval: 1.959964 for 0.95.
 *
 * @throws {InputError} when the level is outside (0, 1)
 */
export function criticalValue(level: number): number {
  requireLevel(level);
  return -normalQuantile((1 - level) / 2);
}

function proportion(successes: number, n: number, level: number): number {
  requireLevel(level);
  if (!(n >= 0 && Number.isFinite(n) && successes >= 0 && successes <= n)) {
    throw new InputError(`${successes} successes in ${n} trials is not a proportion`);
  }
  return successes / n;
}

/**
 * A value with its confidence interval: the form of every metric of the benchmark.
 *
 * Undefined numbers are NaN, never a substitute such as 0.5: an AUROC without positives, a correlation with a
 * constant, the bounds of an interval over a single block.
 */
export interface Estimate {
  readonly value: number;
  /** Lower bound of the two-sided interval: 95 % unless another level was given. */
  readonly low: number;
  readonly high: number;
  /** Number of rows (pairs, peaks, variants); not of blocks or resamples. */
  readonly n: number;
  /** Method of the interval, kebab-case and stable. Over custom blocks: their kind, then "-jackknife". */
  readonly method: IntervalMethod | (string & Record<never, never>);
  /** Blocks of an interval over blocks; absent where rows are taken as independent. */
  readonly basis?: IntervalBasis;
}

/** Methods of this package's intervals: for independent rows, over rows in turn, and over genomic blocks. */
export type IntervalMethod =
  | "wald"
  | "wilson"
  | "delong"
  | "logit"
  | "fisher-z"
  | "t"
  | "log-t"
  | "seed-spread"
  | "row-jackknife"
  | "genomic-block-jackknife"
  | "genomic-block-wilson";

/** The blocks that an interval leaves out in turn. */
export interface IntervalBasis {
  readonly blocks: number;
  /** Length of a block along the genome: "16 Mb", "chromosome". Absent for blocks without positions. */
  readonly length?: string;
  /** Degrees of freedom of Student's t: the effective number of blocks, at most their number less 1. */
  readonly dof: number;
  /** Correlation between the contributions of neighbouring blocks; absent where no two blocks adjoin. */
  readonly neighbourCorrelation?: number;
  /** Reason why the interval may cover less than it states: "3 blocks". Absent for a reliable one. */
  readonly unreliable?: string;
}
