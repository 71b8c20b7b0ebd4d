import { InputError } from "../base/errors.ts";
import { normalUpperTail } from "./distributions.ts";
import { requireFinite } from "./input-checks.ts";
import { averageRanks, tieCorrection, tieGroups } from "./ranks.ts";
import type { Alternative } from "./wilcoxon.ts";

/** With both samples larger than this, or any tie, "auto" is asymptotic. */
const AUTO_EXACT = 8;

/** The exact distribution takes about (n₁n₂)²/2 steps: some seconds at this product. */
const MAX_EXACT = 50_000;

/** Result of `mannWhitney`. */
export interface MannWhitneyResult {
  /** Pairs (x, y) with x > y, a tie counting one half; U/(n₁n₂) is the AUROC of x over y. */
  readonly u: number;
  readonly p: number;
  readonly method: "exact" | "asymptotic";
}

/**
 * Mann–Whitney U test of two independent samples, as `scipy.stats.mannwhitneyu` 1.12.
 *
 * "auto" is exact where one sample has at most 8 values and there are no ties; else asymptotic, corrected for
 * ties and for continuity. "exact" ignores ties, and rounds a half-integer U down.
 *
 * @param x            for "less": the sample expected to be smaller, such as effects of control variants
 * @param alternative  "less": x tends to be smaller than y
 * @returns            u and p NaN where a sample is empty; p 1 where all values are equal and the method is
 *                     asymptotic
 * @throws {InputError} when a value is not finite, or "exact" is chosen for more than 50,000 pairs
 * @see Mann & Whitney 1947, doi:10.1214/aoms/1177730491
 */
export function mannWhitney(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  {
    alternative = "two-sided",
    method = "auto",
  }: { readonly alternative?: Alternative; readonly method?: "auto" | "exact" | "asymptotic" } = {},
): MannWhitneyResult {
  requireFinite(x, "the first sample's value");
  requireFinite(y, "the second sample's value");
  const both = Float64Array.from({ length: x.length + y.length }, (_, i) =>
    i < x.length ? x[i] : y[i - x.length],
  );
  const groups = tieGroups(both);
  const tied = groups.ends.length < both.length;
  const small = Math.min(x.length, y.length) <= AUTO_EXACT;
  const used = method === "auto" ? (small && !tied ? "exact" : "asymptotic") : method;
  if (x.length === 0 || y.length === 0) return { u: Number.NaN, p: Number.NaN, method: used };

  const ranks = averageRanks(both, groups);
  const u =
    ranks.subarray(0, x.length).reduce((total, rank) => total + rank, 0) - (x.length * (x.length + 1)) / 2;
  const other = x.length * y.length - u;
  const extreme = { greater: u, less: other, "two-sided": Math.max(u, other) }[alternative];
  const tail =
    used === "exact"
      ? exactUpperTail(Math.floor(extreme), x.length, y.length)
      : asymptoticUpperTail(extreme, x.length, y.length, tieCorrection(groups));
  return { u, p: Math.min(alternative === "two-sided" ? 2 * tail : tail, 1), method: used };
}

function asymptoticUpperTail(u: number, n1: number, n2: number, ties: number): number {
  const n = n1 + n2;
  const deviation = Math.sqrt(((n1 * n2) / 12) * (n + 1 - ties / (n * (n - 1))));
  return normalUpperTail((u - (n1 * n2) / 2 - 0.5) / deviation);
}

/** P(U >= u) where all orders of n1 and n2 distinct values are equally likely. */
function exactUpperTail(u: number, n1: number, n2: number): number {
  if (n1 * n2 > MAX_EXACT) {
    throw new InputError(
      `the exact Mann–Whitney test takes at most ${MAX_EXACT} pairs of values, found ${n1} × ${n2}`,
      {
        hint: 'use method "asymptotic": with so many values the two agree',
      },
    );
  }
  const distribution = uDistribution(Math.min(n1, n2), Math.max(n1, n2));
  // The distribution is symmetric: the upper tail is a lower tail. The shorter of the two is summed.
  const from = n1 * n2 - u;
  const add = (end: number) => distribution.subarray(0, end).reduce((total, p) => total + p, 0);
  return from < u ? add(from + 1) : 1 - add(u);
}

/**
 * P(U = u) for u = 0..few·many, by recursion over the largest value: it belongs to the `i` values with
 * probability i/(i + j) and then exceeds all j others; else it belongs to the j values and adds nothing.
 */
function uDistribution(few: number, many: number): Float64Array {
  // row[i] is the distribution for i against j values, j growing.
  let row = Array.from({ length: few + 1 }, () => Float64Array.of(1));
  for (let j = 1; j <= many; j++) {
    const next = [Float64Array.of(1)];
    for (let i = 1; i <= few; i++) {
      const probabilities = new Float64Array(i * j + 1);
      const fromFew = next[i - 1];
      const fromMany = row[i];
      for (let u = 0; u < fromFew.length; u++) probabilities[u + j] += (fromFew[u] * i) / (i + j);
      for (let u = 0; u < fromMany.length; u++) probabilities[u] += (fromMany[u] * j) / (i + j);
      next.push(probabilities);
    }
    row = next;
  }
  return row[few];
}
