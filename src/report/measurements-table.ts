import { isPValue, metricCell, metricHeading } from "./estimates.ts";
import { fixed, UNDEFINED } from "./numbers.ts";
import type { Panel } from "./panels.ts";
import { protocolRows } from "./protocol-lines.ts";
import type { Table } from "./tables/table.ts";

/** What was measured of all rows beside the leaderboard's numbers, a column each; undefined where there is nothing. */
export function measurementsTable({ entries }: Panel): Table | undefined {
  const others = entries.flatMap(({ result }) =>
    result.metrics.slice(1).filter(({ name, of }) => !isPValue(name) && of === undefined),
  );
  const titles = new Map(others.map((metric) => [metric.name, metricHeading(metric)]));
  const averages = [...new Set(entries.flatMap(({ result }) => Object.keys(result.averages)))];
  if (titles.size + averages.length === 0) return undefined;
  return {
    caption: "Everything else that was measured",
    columns: [
      { heading: "model", align: "left" },
      { heading: "protocol", align: "left" },
      ...[...titles.values(), ...averages.map(words)].map((heading) => ({
        heading,
        align: "right" as const,
      })),
    ],
    rows: protocolRows(
      entries.map(({ label, protocol, result }) => ({
        label,
        protocol,
        cells: [
          ...[...titles.keys()].map((name) => {
            const metric = result.metrics.find((one) => one.name === name);
            return metric === undefined ? UNDEFINED : metricCell(metric);
          }),
          ...averages.map((name) => fixed(result.averages[name] ?? Number.NaN, digitsOf(name, entries))),
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
