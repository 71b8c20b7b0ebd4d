import type { Measurement } from "../evaluation/tasks/measurement.ts";
import { isPValue, metricCell } from "./estimates.ts";
import { count, pValue } from "./numbers.ts";
import type { Entry, Panel } from "./panels.ts";
import { type Cell, type Column, cellText, type Table } from "./tables/table.ts";

/** One line per model and protocol, best first: the main metric with its interval, and what it rests on. */
export function leaderboardTable({ entries }: Panel, title: string): Table {
  const main = entries[0]!.main;
  const withTies = entries.some(({ result }) => "ties" in result.counts);
  const withP = entries.some(({ result }) => pOf(result) !== undefined);
  const columns: Column[] = [
    { heading: "model", align: "left" },
    { heading: "protocol", align: "left" },
    { heading: `${main.title}${ARROWS[main.better]}`, align: "right" },
    { heading: "n", align: "right" },
    ...(withTies ? [{ heading: "ties", align: "right" } as const] : []),
    ...(withP ? [{ heading: "p", align: "right" } as const] : []),
  ];
  const rows = entries.map((entry): Cell[] => [
    entry.label,
    entry.protocol,
    metricCell(entry.main),
    count(entry.result.rows.selected),
    ...(withTies ? [count(entry.result.counts.ties ?? Number.NaN)] : []),
    ...(withP ? [pValue(pOf(entry.result)?.value ?? Number.NaN)] : []),
  ]);
  return { caption: title, columns, rows, notes: notesOf(entries) };
}

const ARROWS = { higher: " ↑", lower: " ↓", neither: "" } as const;

/** The test of the main metric, where the task has one. */
const pOf = ({ metrics }: Pick<Measurement, "metrics">) => metrics.find(({ name }) => isPValue(name));

/** How the intervals were made, why a number is missing, and what the results themselves want said. */
function notesOf(entries: readonly Entry[]): string[] {
  const undefinedOnes = entries.flatMap(({ label, result }) =>
    [result.metrics[0]!, ...(pOf(result) === undefined ? [] : [pOf(result)!])]
      .filter(({ value }) => value === null)
      .map(({ title, why }) => `${label}: no ${title}: ${why ?? "it is undefined"}.`),
  );
  const sampled = entries.some(({ result }) => result.cell.sample !== undefined)
    ? [
        "Rows are a sample with so many of each kind: numbers that depend on the shares of the kinds, such as average precision, are of the sample.",
      ]
    : [];
  const own = [...sampled, ...entries.flatMap(({ result }) => result.notes)];
  return [...new Set([...undefinedOnes, ...own])];
}

/** `paired accuracy 0.731 [0.705, 0.756]`, for a line of text. */
export function headline({ metrics }: Pick<Measurement, "metrics">): string {
  const main = metrics[0]!;
  return main.value === null
    ? `${main.title} undefined: ${main.why ?? "no reason is known"}`
    : `${main.title} ${cellText(metricCell(main))}`;
}
