import type { Estimate } from "../evaluation/metrics/estimate.ts";
import type { Metric } from "../evaluation/tasks/measurement.ts";
import { fixed, UNDEFINED } from "./numbers.ts";
import type { Cell } from "./tables/table.ts";

/** What the intervals' methods are called in a sentence. */
const METHODS: Readonly<Record<string, string>> = {
  wald: "normal approximation (Wald)",
  wilson: "Wilson",
  "genomic-block-bootstrap": "bootstrap over genomic blocks",
  "chromosome-bootstrap": "bootstrap over chromosomes",
  bootstrap: "bootstrap over rows",
  delong: "DeLong",
};

export const methodName = (method: string): string => METHODS[method] ?? method.replaceAll("-", " ");

/** `0.731` and, quieter, `[0.705, 0.756]`. */
export function estimateCell(value: number | null, interval: Estimate | undefined, digits = 3): Cell {
  if (value === null) return UNDEFINED;
  return { text: fixed(value, digits), detail: interval === undefined ? "" : intervalText(interval, digits) };
}

export function intervalText({ low, high }: Estimate, digits = 3): string {
  return `[${fixed(low, digits)}, ${fixed(high, digits)}]`;
}

/** A metric with the interval that is to be printed. */
export function metricCell(metric: Metric, digits = 3): Cell {
  return estimateCell(metric.value, metric.intervals[0], digits);
}
