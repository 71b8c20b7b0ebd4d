import { requireShares } from "./input-checks.ts";

/**
 * Benjamini–Hochberg adjusted p-values (q-values): calling all tests with q <= 0.05 significant keeps the
 * expected share of false positives at 5 %. As `scipy.stats.false_discovery_control(method="bh")`.
 *
 * For independent or positively dependent tests, such as the 1,443 motifs of Task 2.
 *
 * @param p  p-values; NaN for a test that could not be computed
 * @returns  one per p-value, in the same order; NaN stays NaN and does not count as a test
 * @throws {InputError} when a p-value is outside [0, 1]
 * @see Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x
 */
export function benjaminiHochberg(p: ArrayLike<number>): Float64Array {
  const tests = Array.from({ length: p.length }, (_, i) => i).filter((i) => !Number.isNaN(p[i]));
  requireShares(
    tests.map((i) => p[i]),
    "p-value",
  );
  tests.sort((a, b) => p[b] - p[a]);
  const adjusted = new Float64Array(p.length).fill(Number.NaN);
  let least = 1;
  tests.forEach((i, above) => {
    const rank = tests.length - above;
    least = Math.min(least, p[i] * (tests.length / rank));
    adjusted[i] = least;
  });
  return adjusted;
}
