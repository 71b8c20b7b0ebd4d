import { firstIndex } from "../base/binary-search.ts";
import { InputError } from "../base/errors.ts";
import type { NumberList } from "../base/typed-numbers.ts";
import { normalUpperTail } from "./distributions.ts";
import { requireFinite } from "./input-checks.ts";

/** Alternative hypothesis; "greater": differences tend to be positive. */
export type Alternative = "greater" | "less" | "two-sided";

/** The exact distribution takes n³/6 additions and n² numbers: minutes above this many differences. */
const MAX_EXACT = 2000;

/** With at most this many differences, "auto" is exact. */
const AUTO_EXACT = 50;

/** Result of `wilcoxon`. */
export interface WilcoxonResult {
  /**
   * Sum of the ranks of the positive differences; for "two-sided" the smaller of that and of the negative
   * ones.
   */
  readonly statistic: number;
  readonly p: number;
  /**
   * Standardised statistic of the normal approximation, informative even where p is 0; NaN for the exact
   * method.
   */
  readonly z: number;
  /** Differences other than zero. */
  readonly n: number;
  readonly method: "exact" | "approx";
}

/**
 * Wilcoxon's signed-rank test of paired differences, as `scipy.stats.wilcoxon` 1.12 with its other defaults.
 *
 * Zero differences are dropped. "auto" is exact for at most 50 differences (zeros counted) without zeros,
 * else the normal approximation, corrected for ties, without continuity correction. Ties between absolute
 * differences do not switch off the exact method, although its distribution assumes none; a half-integer rank
 * sum is then rounded down. "exact" with zeros falls back to the approximation.
 *
 * Differences are taken as independent. Where several belong together (both strands of a background,
 * neighbouring elements) the p-value is too small: pass their `blockMeans` instead.
 *
 * @param differences  first − second, one per pair
 * @returns            NaN for statistic and p without a difference other than zero, where SciPy raises an
 *                     error
 * @throws {InputError} when a difference is not finite, or "exact" is chosen for more than 2,000
 * @see Wilcoxon 1945, doi:10.2307/3001968
 */
export function wilcoxon(differences: ArrayLike<number>, options: WilcoxonOptions = {}): WilcoxonResult {
  requireFinite(differences, "difference");
  const sorted = new Float64Array(differences).sort();
  return wilcoxonOfSorted({ length: sorted.length, at: (i) => sorted[i] }, options);
}

/** Options of `wilcoxon`. */
export interface WilcoxonOptions {
  /** Default "two-sided". */
  readonly alternative?: Alternative;
  readonly method?: "auto" | "exact" | "approx";
}

/** `wilcoxon` of finite differences in ascending order, which may be on disk. */
export function wilcoxonOfSorted(
  sorted: NumberList,
  { alternative = "two-sided", method = "auto" }: WilcoxonOptions = {},
): WilcoxonResult {
  const { positive, ties, n } = rankSums(sorted);
  const wanted = method === "auto" ? (sorted.length <= AUTO_EXACT ? "exact" : "approx") : method;
  const used = n < sorted.length ? "approx" : wanted;
  if (n === 0) return { statistic: Number.NaN, p: Number.NaN, z: Number.NaN, n, method: used };

  const negative = (n * (n + 1)) / 2 - positive;
  const statistic = alternative === "two-sided" ? Math.min(positive, negative) : positive;

  if (used === "exact") {
    return { statistic, p: exactP(Math.floor(positive), n, alternative), z: Number.NaN, n, method: used };
  }
  const variance = (n * (n + 1) * (2 * n + 1) - 0.5 * ties) / 24;
  const z = (statistic - n * (n + 1) * 0.25) / Math.sqrt(variance);
  return { statistic, p: normalP(z, alternative), z, n, method: used };
}

/**
 * Sum of the ranks of the positive differences by absolute value, ties sharing their mean rank; Σ (t³ − t)
 * over groups of t ties; and the number of differences other than zero.
 *
 * Walks outwards from zero, in both directions, instead of ranking rows. It is as exact, since rank sums are
 * multiples of one half.
 */
function rankSums(sorted: NumberList) {
  const { length } = sorted;
  let up = firstIndex(0, length, (i) => sorted.at(i) >= 0);
  let down = up - 1;
  while (up < length && sorted.at(up) === 0) up++;
  const n = down + 1 + length - up;
  let [positive, ties, taken] = [0, 0, 0];
  let below = down >= 0 ? -sorted.at(down) : Number.POSITIVE_INFINITY;
  let above = up < length ? sorted.at(up) : Number.POSITIVE_INFINITY;
  while (taken < n) {
    const size = Math.min(below, above);
    const before = up;
    while (above === size) above = ++up < length ? sorted.at(up) : Number.POSITIVE_INFINITY;
    let t = up - before;
    for (; below === size; t++) below = --down >= 0 ? -sorted.at(down) : Number.POSITIVE_INFINITY;
    positive += (up - before) * ((taken + 1 + taken + t) / 2);
    ties += t * t * t - t;
    taken += t;
  }
  return { positive, ties, n };
}

function normalP(z: number, alternative: Alternative): number {
  if (alternative === "two-sided") return 2 * normalUpperTail(Math.abs(z));
  return normalUpperTail(alternative === "greater" ? z : -z);
}

function exactP(rankSum: number, n: number, alternative: Alternative): number {
  const most = (n * (n + 1)) / 2;
  if (alternative === "less") return lowerTail(rankSum, n);
  // The distribution is symmetric: the upper tail is the lower one from the other end.
  if (alternative === "greater") return lowerTail(most - rankSum, n);
  if (rankSum === Math.floor(most / 2)) return 1;
  return Math.min(2 * lowerTail(Math.min(rankSum, most - rankSum), n), 1);
}

/** P(signed-rank sum of n <= s) when every sign is a coin flip. */
function lowerTail(s: number, n: number): number {
  const most = (n * (n + 1)) / 2;
  if (s < 0) return 0;
  if (s > most / 2) return 1 - lowerTail(most - s - 1, n);
  return signedRankProbabilities(n, s).reduce((total, probability) => total + probability, 0);
}

/**
 * P(signed-rank sum = s) for s = 0..last, when every sign is a coin flip. Rank by rank: the sum either takes
 * the rank or does not.
 */
function signedRankProbabilities(n: number, last: number): Float64Array {
  if (n > MAX_EXACT) {
    throw new InputError(`the exact signed-rank test takes at most ${MAX_EXACT} differences, found ${n}`, {
      hint: 'use method "approx": with so many differences the two agree',
    });
  }
  const probabilities = new Float64Array(last + 1);
  probabilities[0] = 1;
  for (let rank = 1, reached = 0; rank <= n; rank++) {
    reached = Math.min(reached + rank, last);
    // From the top, so that an entry is read before it is overwritten.
    for (let s = reached; s >= rank; s--)
      probabilities[s] = 0.5 * (probabilities[s] + probabilities[s - rank]);
    for (let s = Math.min(rank - 1, reached); s >= 0; s--) probabilities[s] *= 0.5;
  }
  return probabilities;
}
