import { incompleteBeta } from "./incomplete-beta.ts";

/**
 * P(X >= k) of a binomial distribution: at least k of n independent trials succeed, each with probability p.
 *
 * @param k  whole number; 0 or less gives 1, more than n gives 0
 * @see Abramowitz & Stegun 1964, 26.5.24
 */
export function binomialUpperTail(k: number, n: number, p: number): number {
  if (k <= 0) return 1;
  if (k > n) return 0;
  return incompleteBeta(p, 1 - p, k, n - k + 1);
}
