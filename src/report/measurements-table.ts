import { isPValue } from "./estimates.ts";
import { fixed } from "./numbers.ts";
import { metricColumns, protocolRows } from "./panel-table.ts";
import type { Panel } from "./panels.ts";
import type { Table } from "./table.ts";

/**
 * All metrics other than the main one, and averages over rows, one column each; undefined if there are none.
 */
export function measurementsTable({ entries }: Pick<Panel, "entries">): Table | undefined {
  const metrics = metricColumns(entries, ({ result }) =>
    result.metrics.slice(1).filter(({ name, of }) => !isPValue(name) && of === undefined),
  );
  const averages = [...new Set(entries.flatMap(({ result }) => Object.keys(result.averages)))];
  if (metrics.length + averages.length === 0) return undefined;
  return {
    caption: "Other metrics",
    columns: [
      { heading: "model", align: "left" },
      { heading: "protocol", align: "left" },
      ...[...metrics.map(({ heading }) => heading), ...averages.map(averageHeading)].map((heading) => ({
        heading,
        align: "right" as const,
      })),
    ],
    rows: protocolRows(
      entries.map((entry) => ({
        label: entry.label,
        protocol: entry.protocol,
        cells: [
          ...metrics.map((column) => column.cell(entry)),
          ...averages.map((name) =>
            fixed(entry.result.averages[name] ?? Number.NaN, digitsOf(name, entries)),
          ),
        ],
      })),
    ),
  };
}

/** Decimals of an average: 3 for shares, 1 for larger numbers such as token counts. */
function digitsOf(name: string, entries: Panel["entries"]): number {
  return entries.every(({ result }) => Math.abs(result.averages[name] ?? 0) <= 1) ? 3 : 1;
}

/** Heading of an average: `tokensPerElement` → `tokens per element`. */
const averageHeading = (key: string) =>
  key
    .replace(/(?<=^motifAccuracy)(\d+)$/, " ($1th percentile)")
    .replace(/[A-Z]|(?<=[a-z])(?=\d)/g, (letter) => ` ${letter.toLowerCase()}`)
    .replaceAll("-", " ");

/** The original's keys for quantiles of element minus control, in column order. */
const KEYS = {
  q05_diff: "5 %",
  q25_diff: "25 %",
  median_diff: "median",
  q75_diff: "75 %",
  q95_diff: "95 %",
  mean_diff: "mean",
} as const;

/** Quantiles of the paired differences; undefined if the task has none. */
export function quantilesTable({ entries }: Panel): Table | undefined {
  const some = entries.filter(({ result }) => "median_diff" in result.published);
  if (some.length === 0) return undefined;
  return {
    caption: "Score of the element minus score of its control, in nats: quantiles over all pairs",
    columns: [
      { heading: "model", align: "left" },
      { heading: "protocol", align: "left" },
      ...Object.values(KEYS).map((heading) => ({ heading, align: "right" as const })),
    ],
    rows: protocolRows(
      some.map(({ label, protocol, result }) => ({
        label,
        protocol,
        cells: Object.keys(KEYS).map((key) => fixed(result.published[key] ?? Number.NaN)),
      })),
    ),
  };
}
