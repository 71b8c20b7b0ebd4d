import type { Estimate } from "../../metrics/estimate.ts";
import type { Metric } from "./measurement.ts";

/** A number as JSON can say it: null for NaN and infinities. */
export function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** An estimate as a record of its five numbers, or null unless all are finite. */
export function finiteEstimate({ value, low, high, n, method }: Estimate): Estimate | null {
  return [value, low, high].every(Number.isFinite) ? { value, low, high, n, method } : null;
}

/**
 * A metric that JSON can say: an undefined value is null and has its reason; intervals without both bounds are left out.
 *
 * @param why  why the value is undefined, should it be
 */
export function metricOf(
  form: Pick<Metric, "name" | "title" | "quantity" | "column" | "better" | "main">,
  value: number,
  why: string,
  intervals: readonly Estimate[] = [],
): Metric {
  return {
    ...form,
    value: finiteOrNull(value),
    ...(Number.isFinite(value) ? {} : { why }),
    intervals: intervals.map(finiteEstimate).filter((estimate) => estimate !== null),
  };
}
