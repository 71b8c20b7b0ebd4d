import { incompleteBeta } from "./distributions/incomplete-beta.ts";
import type { Estimate } from "./estimate.ts";
import { requireFinite, requireSameLength } from "./input-checks.ts";
import { criticalValue } from "./intervals.ts";
import { averageRanks } from "./ranks.ts";
import { mean, sum } from "./sum.ts";

export interface Correlation {
  /** −1 to 1; NaN where it is undefined. */
  readonly r: number;
  /** Two-sided, for no correlation between independent normal rows; NaN where r is. */
  readonly p: number;
  readonly n: number;
}

/**
 * Pearson's correlation, with SciPy's p-value (`scipy.stats.pearsonr`).
 *
 * @param x  one number per row
 * @param y  one number per row
 * @returns  r and p NaN for fewer than two rows, or where x or y is constant; p is 1 for two rows
 * @throws {InputError} when lengths differ or a value is not finite
 */
export function pearson(x: ArrayLike<number>, y: ArrayLike<number>): Correlation {
  requirePairs(x, y);
  const n = x.length;
  const a = direction(x);
  const b = direction(y);
  if (a === undefined || b === undefined) return { r: Number.NaN, p: Number.NaN, n };
  if (n === 2) return { r: Math.sign(x[1]! - x[0]!) * Math.sign(y[1]! - y[0]!), p: 1, n };
  const r = Math.min(Math.max(sum(a.map((value, i) => value * b[i]!)), -1), 1);
  return { r, p: correlationP(r, n), n };
}

/**
 * Spearman's rank correlation: Pearson's of the ranks, equal values sharing the mean of theirs; with SciPy's p-value
 * (`scipy.stats.spearmanr`), which takes r·√((n − 2)/(1 − r²)) as Student's t.
 *
 * Rounds as SciPy does, so that a perfect order may give 0.9999999999999999 and a p just above 0.
 *
 * @returns  r and p NaN for fewer than two rows, or where x or y is constant; p NaN for two rows
 * @throws {InputError} when lengths differ or a value is not finite
 */
export function spearman(x: ArrayLike<number>, y: ArrayLike<number>): Correlation {
  requirePairs(x, y);
  const n = x.length;
  if (n < 2 || isConstant(x) || isConstant(y)) return { r: Number.NaN, p: Number.NaN, n };
  const a = averageRanks(x).map((rank) => rank - (n + 1) / 2);
  const b = averageRanks(y).map((rank) => rank - (n + 1) / 2);
  // Ranks are halves of whole numbers, so these sums are exact; the order of the divisions is NumPy's.
  const share = 1 / (n - 1);
  const covariance = sum(a.map((rank, i) => rank * b[i]!)) * share;
  const deviationOf = (ranks: Float64Array) => Math.sqrt(sum(ranks.map((rank) => rank * rank)) * share);
  const r = Math.min(Math.max(covariance / deviationOf(a) / deviationOf(b), -1), 1);
  return { r, p: n === 2 ? Number.NaN : correlationP(r, n), n };
}

/**
 * Pearson's correlation with Fisher's interval for independent rows: atanh r ± z/√(n − 3), turned back.
 *
 * @returns  bounds NaN for fewer than four rows, where r is undefined, or ±1; method "fisher-z"
 * @throws {InputError} as `pearson`, or when the level is outside (0, 1)
 * @see Fisher 1921, Metron 1:3–32
 */
export function pearsonEstimate(x: ArrayLike<number>, y: ArrayLike<number>, level = 0.95): Estimate {
  const { r, n } = pearson(x, y);
  return fisherInterval(r, n, Math.sqrt(1 / (n - 3)), level);
}

/**
 * Spearman's correlation with an interval for independent rows: Fisher's z with the variance (1 + r²/2)/(n − 3),
 * which holds for ranks of data far from normal too.
 *
 * @returns  bounds NaN for fewer than four rows, where r is undefined, or ±1; method "fisher-z"
 * @throws {InputError} as `spearman`, or when the level is outside (0, 1)
 * @see Bonett & Wright 2000, doi:10.1007/BF02294183
 */
export function spearmanEstimate(x: ArrayLike<number>, y: ArrayLike<number>, level = 0.95): Estimate {
  const { r, n } = spearman(x, y);
  return fisherInterval(r, n, Math.sqrt((1 + (r * r) / 2) / (n - 3)), level);
}

/** @throws {InputError} when lengths differ or a value is not finite */
export function requirePairs(x: ArrayLike<number>, y: ArrayLike<number>): void {
  requireSameLength(x, y, ["x values", "y values"]);
  requireFinite(x, "x value");
  requireFinite(y, "y value");
}

/** P(|R| >= |r|) for n independent normal pairs: a beta distribution, or Student's t with n − 2 degrees of freedom. */
function correlationP(r: number, n: number): number {
  const rest = (1 - Math.abs(r)) * (1 + Math.abs(r));
  return incompleteBeta(rest, r * r, n / 2 - 1, 0.5);
}

function fisherInterval(value: number, n: number, error: number, level: number): Estimate {
  const half = criticalValue(level) * error;
  const centre = Math.atanh(value);
  const known = n > 3 && Number.isFinite(centre);
  return {
    value,
    low: known ? Math.tanh(centre - half) : Number.NaN,
    high: known ? Math.tanh(centre + half) : Number.NaN,
    n,
    method: "fisher-z",
  };
}

function isConstant(values: ArrayLike<number>): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false;
  return true;
}

/** Values less their mean, scaled to length 1; undefined for a constant. */
function direction(values: ArrayLike<number>): Float64Array | undefined {
  if (values.length < 2 || isConstant(values)) return undefined;
  const centre = mean(values);
  const centred = Float64Array.from(values, (value) => value - centre);
  // Scaled before squaring, as BLAS does: squares of 1e-200 or 1e200 would not be numbers any more.
  const largest = centred.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const length = largest * Math.sqrt(sum(centred.map((value) => (value / largest) ** 2)));
  return centred.map((value) => value / length);
}
