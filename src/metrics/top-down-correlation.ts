import { requirePairs } from "./correlation.ts";
import { sum } from "./mean.ts";
import { tieGroups } from "./ranks.ts";

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
