import type { BlockStatistic, Blocks } from "./blocks.ts";
import { incompleteBeta } from "./distributions.ts";
import { requireFinite, requireSameLength } from "./input-checks.ts";
import { criticalValue, type Estimate } from "./intervals.ts";
import { mean, sum } from "./mean.ts";
import { averageRanks, type TieGroups, tieGroups } from "./ranks.ts";

/** A correlation coefficient with its p-value. */
export interface Correlation {
  /** −1 to 1; NaN where it is undefined. */
  readonly r: number;
  /** Two-sided p-value for no correlation between independent normal rows; NaN where r is NaN. */
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
  if (n === 2) return { r: Math.sign(x[1] - x[0]) * Math.sign(y[1] - y[0]), p: 1, n };
  const r = Math.min(Math.max(sum(a.map((value, i) => value * b[i])), -1), 1);
  return { r, p: correlationP(r, n), n };
}

/**
 * Spearman's rank correlation: Pearson's correlation of the ranks, equal values sharing their mean rank; with
 * SciPy's p-value (`scipy.stats.spearmanr`), which takes r·√((n − 2)/(1 − r²)) as Student's t.
 *
 * Rounds as SciPy does: a perfect order may give 0.9999999999999999 and a p-value just above 0.
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
  const scale = 1 / (n - 1);
  const covariance = sum(a.map((rank, i) => rank * b[i])) * scale;
  const deviationOf = (ranks: Float64Array) => Math.sqrt(sum(ranks.map((rank) => rank * rank)) * scale);
  const r = Math.min(Math.max(covariance / deviationOf(a) / deviationOf(b), -1), 1);
  return { r, p: n === 2 ? Number.NaN : correlationP(r, n), n };
}

/**
 * Pearson's correlation with Fisher's interval for independent rows: tanh(atanh r ± z/√(n − 3)).
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
 * Spearman's correlation with an interval for independent rows: Fisher's z with variance (1 + r²/2)/(n − 3),
 * which also holds for data far from normal.
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

/**
 * P(|R| >= |r|) for n independent normal pairs: a beta distribution, or Student's t with n − 2 degrees of
 * freedom.
 */
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
  // Scaled before squaring, as BLAS does: squares of 1e-200 and 1e200 underflow and overflow.
  const largest = centred.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const length = largest * Math.sqrt(sum(centred.map((value) => (value / largest) ** 2)));
  return centred.map((value) => value / length);
}

/** A variance below this fraction of the mean square is the rounding error of a constant. */
const ROUNDING = 1e-12;

/**
 * `pearson` of rows in blocks, as a function of how often each block is counted. The time of a call grows
 * with the number of blocks, not of rows.
 *
 * @returns  NaN where x or y is constant over the counted blocks
 * @throws {InputError} as `pearson`, or when the number of pairs is not the number of rows in blocks
 */
export function pearsonOver(x: ArrayLike<number>, y: ArrayLike<number>, blocks: Blocks): BlockStatistic {
  requirePairs(x, y);
  requireSameLength(x, blocks.of, ["x values", "rows in blocks"]);
  const count = blocks.sizes.length;
  const centreX = mean(x);
  const centreY = mean(y);
  // Per block: Σx, Σy, Σx², Σxy, Σy² of the values less their overall means.
  const sums = new Float64Array(5 * count);
  for (let row = 0; row < x.length; row++) {
    const a = x[row] - centreX;
    const b = y[row] - centreY;
    const at = 5 * blocks.of[row];
    sums[at] += a;
    sums[at + 1] += b;
    sums[at + 2] += a * a;
    sums[at + 3] += a * b;
    sums[at + 4] += b * b;
  }
  return (times) => {
    const moments = new Moments();
    for (let block = 0; block < count; block++) {
      const weight = times[block];
      if (weight === 0) continue;
      const at = 5 * block;
      moments.n += weight * blocks.sizes[block];
      moments.x += weight * sums[at];
      moments.y += weight * sums[at + 1];
      moments.xx += weight * sums[at + 2];
      moments.xy += weight * sums[at + 3];
      moments.yy += weight * sums[at + 4];
    }
    return moments.correlation();
  };
}

/**
 * `spearman` of rows in blocks, as a function of how often each block is counted. Ranks are taken among the
 * counted rows; the values are sorted once, each call takes O(n).
 *
 * @returns  NaN where x or y is constant over the counted blocks
 * @throws {InputError} as `spearman`, or when the number of pairs is not the number of rows in blocks
 */
export function spearmanOver(x: ArrayLike<number>, y: ArrayLike<number>, blocks: Blocks): BlockStatistic {
  requirePairs(x, y);
  requireSameLength(x, blocks.of, ["x values", "rows in blocks"]);
  const groupsX = tieGroups(x);
  const groupsY = tieGroups(y);
  const ranksX = new Float64Array(x.length);
  const ranksY = new Float64Array(x.length);
  return (times) => {
    const centre = rankCountedRows(groupsX, blocks, times, ranksX);
    rankCountedRows(groupsY, blocks, times, ranksY);
    const moments = new Moments();
    for (let row = 0; row < x.length; row++) {
      const weight = times[blocks.of[row]];
      if (weight === 0) continue;
      const a = ranksX[row] - centre;
      const b = ranksY[row] - centre;
      moments.n += weight;
      moments.xx += weight * a * a;
      moments.xy += weight * a * b;
      moments.yy += weight * b * b;
    }
    return moments.correlation();
  };
}

/** Sums over rows that determine the correlation. */
class Moments {
  n = 0;
  x = 0;
  y = 0;
  xx = 0;
  xy = 0;
  yy = 0;

  correlation(): number {
    const varianceX = this.xx - (this.x * this.x) / this.n;
    const varianceY = this.yy - (this.y * this.y) / this.n;
    if (!(varianceX > ROUNDING * this.xx && varianceY > ROUNDING * this.yy)) return Number.NaN;
    const r = (this.xy - (this.x * this.y) / this.n) / (Math.sqrt(varianceX) * Math.sqrt(varianceY));
    return Math.min(Math.max(r, -1), 1);
  }
}

/**
 * Writes the average rank of every row among the counted rows, each weighted by how often its block is
 * counted; returns the mean rank.
 */
function rankCountedRows(groups: TieGroups, blocks: Blocks, times: Int32Array, ranks: Float64Array): number {
  let below = 0;
  let start = 0;
  for (const end of groups.ends) {
    let counted = 0;
    for (let i = start; i < end; i++) counted += times[blocks.of[groups.order[i]]];
    for (let i = start; i < end; i++) ranks[groups.order[i]] = below + (counted + 1) / 2;
    below += counted;
    start = end;
  }
  return (below + 1) / 2;
}

/**
 * Top-down correlation: Pearson's correlation of Savage scores. Agreement among the largest values counts
 * most, where Spearman's correlation gives every rank the same weight.
 *
 * The smallest of n values has the Savage score 1/n, the next 1/n + 1/(n − 1), and the largest 1/n + … + 1.
 * Equal values share the mean of their scores. For independent rows the variance is 1/(n − 1).
 *
 * @param x  one number per row
 * @param y  one number per row
 * @returns  at most 1; NaN for fewer than two rows, or where x or y is constant
 * @throws {InputError} when lengths differ or a value is not finite
 * @see Iman & Conover 1987, doi:10.1080/00401706.1987.10488252
 */
export function topDownCorrelation(x: ArrayLike<number>, y: ArrayLike<number>): number {
  requirePairs(x, y);
  const [a, b] = [centredSavageScores(x), centredSavageScores(y)];
  const product = (p: Float64Array, q: Float64Array) => sum(p.map((score, i) => score * q[i]));
  return product(a, b) / Math.sqrt(product(a, a) * product(b, b));
}

/** Savage scores less their mean, which is 1. */
function centredSavageScores(values: ArrayLike<number>): Float64Array {
  const n = values.length;
  const { order, ends } = tieGroups(values);
  const scores = new Float64Array(n);
  let start = 0;
  let score = 0;
  for (const end of ends) {
    let total = 0;
    for (let rank = start; rank < end; rank++) {
      score += 1 / (n - rank);
      total += score;
    }
    for (let rank = start; rank < end; rank++) scores[order[rank]] = total / (end - start) - 1;
    start = end;
  }
  return scores;
}
