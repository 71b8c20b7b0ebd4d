import type { Estimate } from "../../metrics/intervals.ts";
import type { Metric } from "./measurement.ts";

/** A number as JSON can say it: null for NaN and infinities. */
export function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** An estimate, or null unless value and bounds are finite. */
export function finiteEstimate(estimate: Estimate): Estimate | null {
  const { value, low, high } = estimate;
  return [value, low, high].every(Number.isFinite) ? estimate : null;
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
