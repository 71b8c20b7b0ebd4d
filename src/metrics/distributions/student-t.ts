import { incompleteBeta } from "./incomplete-beta.ts";

/**
 * P(T > t) of Student's t distribution, with small relative error in the far tail too.
 *
 * @param dof  degrees of freedom, > 0; need not be whole
 * @returns    in [0, 1]; NaN when dof is not positive
 */
export function studentTUpperTail(t: number, dof: number): number {
  if (t < 0) return 1 - studentTUpperTail(-t, dof);
  if (t === Number.POSITIVE_INFINITY) return dof > 0 ? 0 : Number.NaN;
  const total = dof + t * t;
  return incompleteBeta(dof / total, (t * t) / total, dof / 2, 0.5) / 2;
}

/**
 * The t > 0 that Student's t exceeds with probability p; for intervals from few blocks, where the normal one is too
 * narrow (12.7 instead of 1.96 standard errors with one degree of freedom).
 *
 * @param p    in (0, 0.5)
 * @param dof  degrees of freedom, > 0
 * @returns    NaN outside of these ranges
 */
export function studentTQuantile(p: number, dof: number): number {
  if (!(p > 0 && p < 0.5 && dof > 0)) return Number.NaN;
  let low = 0;
  let high = 1;
  while (studentTUpperTail(high, dof) > p) {
    low = high;
    high *= 2;
  }
  // Halving until the doubles between the ends run out.
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return middle;
    if (studentTUpperTail(middle, dof) > p) low = middle;
    else high = middle;
  }
}
