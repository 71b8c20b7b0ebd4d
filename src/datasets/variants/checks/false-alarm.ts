import { binomialUpperTail, normalQuantile } from "../../../metrics/distributions.ts";

/** Largest probability that one statistical test of the check reports a fault in a table that has none. */
export const FALSE_ALARM = 1e-4;

/** Standard errors that a normal estimate exceeds with this probability: 3.72. */
export const CLEARLY = -normalQuantile(FALSE_ALARM);

/** Whether k of n rows are too many if at most this share of a clean table's rows is like that (exact binomial test). */
export const isMoreThan = (k: number, n: number, share: number): boolean =>
  binomialUpperTail(k, n, share) < FALSE_ALARM;
