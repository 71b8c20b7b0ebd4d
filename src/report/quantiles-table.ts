import { fixed } from "./numbers.ts";
import type { Panel } from "./panels.ts";
import { protocolRows } from "./protocol-lines.ts";
import type { Table } from "./tables/table.ts";

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
