import type { BlockStatistic, Blocks } from "./blocks.ts";
import { requirePairs } from "./correlation.ts";
import { requireSameLength } from "./input-checks.ts";
import { type TieGroups, tieGroups } from "./ranks.ts";
import { mean } from "./sum.ts";

/** A variance this small beside the mean square is what rounding leaves of a constant. */
const ROUNDING = 1e-12;

/**
 * Pearson's correlation of rows that come in blocks, as a function of how often each block is there; each call takes
 * time by the number of blocks, not of rows.
 *
 * @returns  NaN where x or y is constant over the blocks there
 * @throws {InputError} as `pearson`, or when there is not one pair per row of the blocks
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
    const a = x[row]! - centreX;
    const b = y[row]! - centreY;
    const at = 5 * blocks.of[row]!;
    sums[at]! += a;
    sums[at + 1]! += b;
    sums[at + 2]! += a * a;
    sums[at + 3]! += a * b;
    sums[at + 4]! += b * b;
  }
  return (times) => {
    const moments = new Moments();
    for (let block = 0; block < count; block++) {
      const weight = times[block]!;
      if (weight === 0) continue;
      const at = 5 * block;
      moments.n += weight * blocks.sizes[block]!;
      moments.x += weight * sums[at]!;
      moments.y += weight * sums[at + 1]!;
      moments.xx += weight * sums[at + 2]!;
      moments.xy += weight * sums[at + 3]!;
      moments.yy += weight * sums[at + 4]!;
    }
    return moments.correlation();
  };
}

/**
 * Spearman's correlation of rows that come in blocks, as a function of how often each block is there. Ranks are taken
 * among the rows there; the values are sorted once, each call takes O(n).
 *
 * @returns  NaN where x or y is constant over the blocks there
 * @throws {InputError} as `spearman`, or when there is not one pair per row of the blocks
 */
export function spearmanOver(x: ArrayLike<number>, y: ArrayLike<number>, blocks: Blocks): BlockStatistic {
  requirePairs(x, y);
  requireSameLength(x, blocks.of, ["x values", "rows in blocks"]);
  const groupsX = tieGroups(x);
  const groupsY = tieGroups(y);
  const ranksX = new Float64Array(x.length);
  const ranksY = new Float64Array(x.length);
  return (times) => {
    const centre = rankAmongPresent(groupsX, blocks, times, ranksX);
    rankAmongPresent(groupsY, blocks, times, ranksY);
    const moments = new Moments();
    for (let row = 0; row < x.length; row++) {
      const weight = times[blocks.of[row]!]!;
      if (weight === 0) continue;
      const a = ranksX[row]! - centre;
      const b = ranksY[row]! - centre;
      moments.n += weight;
      moments.xx += weight * a * a;
      moments.xy += weight * a * b;
      moments.yy += weight * b * b;
    }
    return moments.correlation();
  };
}

/** Sums over rows, from which the correlation follows. */
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

/** Writes the average rank of every row among those present, each counted as often as its block; returns the mean rank. */
function rankAmongPresent(groups: TieGroups, blocks: Blocks, times: Int32Array, ranks: Float64Array): number {
  let below = 0;
  let start = 0;
  for (const end of groups.ends) {
    let present = 0;
    for (let i = start; i < end; i++) present += times[blocks.of[groups.order[i]!]!]!;
    for (let i = start; i < end; i++) ranks[groups.order[i]!] = below + (present + 1) / 2;
    below += present;
    start = end;
  }
  return (below + 1) / 2;
}
