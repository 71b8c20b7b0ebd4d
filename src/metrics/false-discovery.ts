import { requireShares } from "./input-checks.ts";

/**
 * Benjamini–Hochberg adjusted p-values (q-values): calling all tests with q <= 0.05 significant keeps the expected
 * share of false calls at 5 %. As `scipy.stats.false_discovery_control(method="bh")`.
 *
 * For independent tests, or such as lean the same way: the 1,443 motifs of Task 2, of which many would look significant
 * by chance alone.
 *
 * @param p  p-values; NaN for a test that could not be made
 * @returns  one per p-value, in the same order; NaN stays NaN and does not count as a test
 * @throws {InputError} when a p-value is outside [0, 1]
 * @see Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x
 */
export function benjaminiHochberg(p: ArrayLike<number>): Float64Array {
  const made = Array.from({ length: p.length }, (_, i) => i).filter((i) => !Number.isNaN(p[i]));
  requireShares(
    made.map((i) => p[i]),
    "p-value",
  );
  made.sort((a, b) => p[b] - p[a]);
  const adjusted = new Float64Array(p.length).fill(Number.NaN);
  let least = 1;
  made.forEach((i, place) => {
    const rank = made.length - place;
    least = Math.min(least, p[i] * (made.length / rank));
    adjusted[i] = least;
  });
  return adjusted;
}
