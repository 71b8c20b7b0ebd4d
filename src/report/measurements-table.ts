import { isPValue } from "./estimates.ts";
import { fixed } from "./numbers.ts";
import { metricColumns, protocolRows } from "./panel-table.ts";
import type { Panel } from "./panels.ts";
import type { Table } from "./table.ts";

/** All other metrics and averages over all rows, a column each; undefined where there is none. */
export function measurementsTable({ entries }: Pick<Panel, "entries">): Table | undefined {
  const metrics = metricColumns(entries, ({ result }) =>
    result.metrics.slice(1).filter(({ name, of }) => !isPValue(name) && of === undefined),
  );
  const averages = [...new Set(entries.flatMap(({ result }) => Object.keys(result.averages)))];
  if (metrics.length + averages.length === 0) return undefined;
  return {
    caption: "Everything else that was measured",
    columns: [
      { heading: "model", align: "left" },
      { heading: "protocol", align: "left" },
      ...[...metrics.map(({ heading }) => heading), ...averages.map(words)].map((heading) => ({
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

/** Shares need more digits than numbers of tokens. */
function digitsOf(name: string, entries: Panel["entries"]): number {
  return entries.every(({ result }) => Math.abs(result.averages[name] ?? 0) <= 1) ? 3 : 1;
}

/** `tokensPerElement` → `tokens per element`; of quantiles, `motifAccuracy25` → `motif accuracy, 25 %`. */
const words = (key: string) =>
  key
    .replace(/(?<=^motifAccuracy)(\d+)$/, ", $1 %")
    .replace(/[A-Z]|(?<=[a-z])(?=\d)/g, (letter) => ` ${letter.toLowerCase()}`)
    .replaceAll("-", " ");

/** The original's keys for the distribution of element minus control, in the order of the columns. */
const KEYS = {
  q05_diff: "5 %",
  q25_diff: "25 %",
  median_diff: "median",
  q75_diff: "75 %",
  q95_diff: "95 %",
  mean_diff: "mean",
} as const;

/** Quantiles of the paired differences; undefined where the task has none. */
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
