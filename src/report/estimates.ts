import { counted } from "../base/message-text.ts";
import type { Metric } from "../evaluation/tasks/measurement.ts";
import type { Estimate, IntervalBasis } from "../metrics/intervals.ts";
import { count, fixed, pValue, UNDEFINED } from "./numbers.ts";
import type { TableCell } from "./table.ts";

/** Name of an interval's method: `genomic-block-jackknife` gives "jackknife over genomic blocks". */
export function methodName(method: string): string {
  const sequence = /^(.+)-sequence$/.exec(method);
  if (sequence !== null) return `${methodName(sequence[1])}, valid at any number of rows`;
  const over = /^(.+)-(wilson|jackknife)$/.exec(method);
  if (over !== null) {
    const blocks = `${over[1].replaceAll("-", " ")}s`;
    return over[2] === "wilson" ? `Wilson, widened for ${blocks}` : `${over[2]} over ${blocks}`;
  }
  const names: Record<string, string> = {
    wald: "normal approximation (Wald)",
    wilson: "Wilson",
    delong: "DeLong",
  };
  return names[method] ?? method.replaceAll("-", " ");
}

/** Cell with `0.731` and the detail `[0.705, 0.756]`. */
export function estimateCell(value: number | null, interval: Estimate | undefined, digits = 3): TableCell {
  if (value === null) return UNDEFINED;
  return { text: fixed(value, digits), detail: interval === undefined ? "" : intervalText(interval, digits) };
}

export function intervalText({ low, high, basis }: Estimate, digits = 3): string {
  const bounds = `[${fixed(low, digits)}, ${fixed(high, digits)}]`;
  return basis?.unreliable === undefined ? bounds : `${bounds} (not reliable)`;
}

/** A metric in a figure: `0.731 [0.705, 0.756]`, with an asterisk if the interval is not reliable. */
export function figureText({ value, intervals: [interval] }: Metric): string {
  if (value === null) return UNDEFINED;
  if (interval === undefined) return fixed(value);
  const { low, high, basis } = interval;
  return `${fixed(value)} [${fixed(low)}, ${fixed(high)}]${basis?.unreliable === undefined ? "" : "*"}`;
}

/** Blocks of an interval: `39 blocks of 16 Mb; correlation of neighbours -0.02`. */
export function basisText({ blocks, length, neighbourCorrelation }: IntervalBasis): string {
  const of =
    length === undefined
      ? counted(blocks, "block")
      : length === "chromosome"
        ? `${counted(blocks, "block")}, each a whole chromosome`
        : `${counted(blocks, "block")} of ${length}`;
  return neighbourCorrelation === undefined
    ? of
    : `${of}; correlation of neighbours ${neighbourCorrelation.toFixed(2)}`;
}

/** Arrows for the direction of better values. */
export const ARROWS = { higher: "↑", lower: "↓" } as const;

/** A metric's title in a figure or a column: short where the metric has a short title. */
export const metricLabel = ({ column, title }: Pick<Metric, "column" | "title">): string => column ?? title;

/** A metric's title with an arrow for the direction of better values. */
export function metricHeading({ title, better }: Pick<Metric, "title" | "better">): string {
  return better === "neither" ? title : `${title} ${ARROWS[better]}`;
}

const ABBREVIATIONS = {
  AMI: "adjusted mutual information of clusters and classes",
  AUPRC: "area under the precision-recall curve",
  AUROC: "area under the ROC curve",
} as const;

/** Abbreviations that occur in some texts, spelled out: `AUROC: area under the ROC curve`. */
export const abbreviationsIn = (texts: readonly string[]): readonly string[] =>
  Object.entries(ABBREVIATIONS)
    .filter(([short]) => texts.some((text) => new RegExp(`\\b${short}\\b`).test(text)))
    .map(([short, long]) => `${short}: ${long}`);

/** True if a metric is a p-value, by the suffix of its name. */
export const isPValue = (name: string): boolean => name.endsWith("-p");

/** Cell with a metric's value and its first interval. */
export function metricCell({ name, value, intervals }: Metric): TableCell {
  if (value === null) return UNDEFINED;
  if (isPValue(name)) return pValue(value);
  // Whole numbers are counts or rank sums, except a share of exactly 0 or 1.
  if (Math.abs(value) >= 1000 || (Number.isInteger(value) && Math.abs(value) > 1 && intervals.length === 0)) {
    return count(value);
  }
  return estimateCell(value, intervals[0]);
}
