import { requireProportions } from "./input-checks.ts";

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
  const tests = computedTests(p).sort((a, b) => p[b] - p[a]);
  const adjusted = new Float64Array(p.length).fill(Number.NaN);
  let least = 1;
  tests.forEach((i, above) => {
    const rank = tests.length - above;
    least = Math.min(least, p[i] * (tests.length / rank));
    adjusted[i] = least;
  });
  return adjusted;
}

/**
 * Holm's adjusted p-values: calling all tests with an adjusted p <= 0.05 significant keeps the probability of
 * any false positive at 5 %, for tests that depend on each other in any way. As
 * `statsmodels.stats.multitest.multipletests(method="holm")`.
 *
 * @param p  p-values; NaN for a test that could not be computed
 * @returns  one per p-value, in the same order; NaN stays NaN and does not count as a test
 * @throws {InputError} when a p-value is outside [0, 1]
 * @see Holm 1979, Scandinavian Journal of Statistics 6:65-70
 */
export function holm(p: ArrayLike<number>): Float64Array {
  const tests = computedTests(p).sort((a, b) => p[a] - p[b]);
  const adjusted = new Float64Array(p.length).fill(Number.NaN);
  let most = 0;
  tests.forEach((i, below) => {
    most = Math.max(most, Math.min(p[i] * (tests.length - below), 1));
    adjusted[i] = most;
  });
  return adjusted;
}

/** Numbers of the tests that have a p-value. */
function computedTests(p: ArrayLike<number>): number[] {
  const tests = Array.from({ length: p.length }, (_, i) => i).filter((i) => !Number.isNaN(p[i]));
  requireProportions(
    tests.map((i) => p[i]),
    "p-value",
  );
  return tests;
}
