import type { Pcg64 } from "../base/pcg64.ts";
import type { LeftOutGroups } from "./jackknife.ts";
import { sum } from "./mean.ts";

/** Up to this many groups, all patterns of signs are counted; beyond, as many random ones are drawn. */
const MAX_EXACT = 13;

/** Random patterns of signs: p-values are multiples of 1/10,000. */
const FLIPS = 9_999;

/**
 * Two-sided sign-flip test of a difference of 0: under the null hypothesis the part of each group of blocks
 * in the difference is as likely positive as negative, whatever the groups' sizes and variances.
 *
 * The part of a group is its jackknife pseudo-value for groups of unequal size, which for a mean is the sum
 * of the group's rows. All 2^groups patterns of signs are counted for up to 13 groups, else 9,999 random ones
 * and the observed one.
 *
 * @param found  the difference of all rows, and without each group
 * @param flips  number of random patterns
 * @returns      at least 2^(1 − groups); 1 for a difference of 0 in every group; NaN where a value is
 *               undefined, or with fewer than two groups
 * @see Busing, Meijer & van der Leeden 1999, doi:10.1023/A:1008800423698 (pseudo-values); Canay, Romano &
 *      Shaikh 2017, doi:10.3982/ECTA13081 (sign flips of few dependent clusters)
 */
export function signFlipP({ value, without, sizes }: LeftOutGroups, rng: Pcg64, flips = FLIPS): number {
  const parts = partsOf(value, without, sizes);
  if (parts.length < 2 || !parts.every(Number.isFinite)) return Number.NaN;
  // Sums of other orders differ by rounding from an equal one.
  const observed = Math.abs(value) * (1 - 1e-9);
  return parts.length <= MAX_EXACT
    ? shareOfAllFlips(parts, observed)
    : shareOfRandomFlips(parts, observed, rng, flips);
}

/** Share of all patterns of signs whose sum is at least as large as the observed one. */
function shareOfAllFlips(parts: Float64Array, observed: number): number {
  // A pattern and its opposite have the same size: the last sign is fixed.
  const patterns = 2 ** (parts.length - 1);
  let extreme = 0;
  for (let pattern = 0; pattern < patterns; pattern++) {
    let total = 0;
    for (let i = 0; i < parts.length; i++) total += (pattern >> i) & 1 ? -parts[i] : parts[i];
    if (Math.abs(total) >= observed) extreme++;
  }
  return extreme / patterns;
}

/** The same share of random patterns and the observed one. */
function shareOfRandomFlips(parts: Float64Array, observed: number, rng: Pcg64, flips: number): number {
  let extreme = 1;
  for (let flip = 0; flip < flips; flip++) {
    let total = 0;
    let bits = 0;
    for (let i = 0; i < parts.length; i++) {
      if (i % 32 === 0) bits = rng.nextUint32();
      total += bits & 1 ? -parts[i] : parts[i];
      bits >>>= 1;
    }
    if (Math.abs(total) >= observed) extreme++;
  }
  return extreme / (flips + 1);
}

/** Parts of the groups, whose sum is the value. [groups] */
function partsOf(value: number, without: Float64Array, sizes: Float64Array): Float64Array {
  const rows = sum(sizes);
  const apart = without.map((rest, group) => (1 - sizes[group] / rows) * (value - rest));
  const surplus = sum(apart);
  return apart.map((part, group) => part + (sizes[group] / rows) * (value - surplus));
}
