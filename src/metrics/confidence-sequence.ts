import { normalUpperTail } from "./distributions.ts";
import { requireLevel } from "./input-checks.ts";

/**
 * Number of rows at which the bounds are tightest; at a hundredth and at a hundred times of it they are a
 * third wider.
 */
const TIGHTEST_AT = 1000;

/** Standard errors of the widest bounds, of fewer than 15 rows: a level of 1 has no interval. */
const MAX_ERRORS = 8;

/**
 * Level of an interval that remains valid however often one looks at growing numbers of rows: the intervals
 * at these levels form a confidence sequence, which contains the true value at all numbers of rows together
 * with probability `level`. Rows are added in random order, as `pickRows` and `--limit` take them.
 *
 * The half-width is that of the normal-mixture boundary, √(2(nρ² + 1)/(nρ²) · ln(√(nρ² + 1)/α)) standard
 * errors, an asymptotic confidence sequence: it holds from some hundred rows on.
 *
 *     blockEstimate(blocks, statistic, { level: anyTimeLevel(rows) })
 *
 * @param rows   number of rows, at least 1
 * @param level  default 0.95
 * @returns      0.998 for 1,000 rows at 0.95
 * @throws {InputError} when the level is outside (0, 1)
 * @see Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024, doi:10.1214/24-AOS2408 (theorem 2.2)
 */
export function anyTimeLevel(rows: number, level = 0.95): number {
  requireLevel(level);
  const alpha = 1 - level;
  const rho = (-2 * Math.log(alpha) + Math.log(1 - 2 * Math.log(alpha))) / TIGHTEST_AT;
  const scaled = rows * rho;
  const errors = Math.sqrt(((2 * (scaled + 1)) / scaled) * Math.log(Math.sqrt(scaled + 1) / alpha));
  return 1 - 2 * normalUpperTail(Math.min(errors, MAX_ERRORS));
}
