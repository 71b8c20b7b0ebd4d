import type { Blocks } from "./blocks.ts";
import { studentTQuantile } from "./distributions/student-t.ts";
import type { Estimate } from "./estimate.ts";
import { requireShares } from "./input-checks.ts";
import { criticalValue, wilsonInterval } from "./intervals.ts";
import { blockJackknife } from "./jackknife.ts";
import { meanOver } from "./mean.ts";

/**
 * A share of rows that come in blocks, with Wilson's interval for as many independent rows as would vary as much as
 * the blocks do: the interval of choice for accuracies and paired accuracies along a genome.
 *
 * The effective number of rows is p(1 − p)/se², se from `blockJackknife`, never more than there are; then reduced by
 * (z/t)² for the degrees of freedom of few blocks. At 0 and at 1, where blocks show no variation, it is the (effective)
 * number of blocks. So the interval stays in [0, 1], never shrinks to a point, and is honest for few blocks too.
 *
 * @param outcomes  in [0, 1], one per row: correct or not, with 0.5 for half a success
 * @returns         `<kind>-wilson`; n is the number of rows. Bounds NaN with fewer than two blocks
 * @throws {InputError} when there is not one outcome in [0, 1] per row
 * @see Korn & Graubard 1998, Survey Methodology 24:193–201 (effective sample size; with the Clopper–Pearson interval)
 */
export function clusteredProportion(outcomes: ArrayLike<number>, blocks: Blocks, level = 0.95): Estimate {
  requireShares(outcomes, "outcome");
  const { value, standardError, dof, n } = blockJackknife(blocks, meanOver(outcomes, blocks), level);
  const method = `${blocks.kind}-wilson`;
  if (dof === 0) return { value, low: Number.NaN, high: Number.NaN, n, method };
  const alike = value === 0 || value === 1 ? dof + 1 : (value * (1 - value)) / standardError ** 2;
  const narrowing = criticalValue(level) / studentTQuantile((1 - level) / 2, dof);
  const effective = Math.min(alike, n) * narrowing ** 2;
  const { low, high } = wilsonInterval(value * effective, effective, level);
  return { value, low, high, n, method };
}
