import type { Measurement } from "../evaluation/tasks/measurement.ts";
import { metricCell } from "./estimates.ts";
import { count, pValue, UNDEFINED } from "./numbers.ts";
import type { Entry, Panel } from "./panels.ts";
import { type Cell, type Column, cellText, type Table } from "./tables/table.ts";

/** One line per model and protocol, best first: the main metric with its interval, then what it rests on. */
export function leaderboardTable(panel: Panel, title: string): Table {
  const { entries } = panel;
  const main = entries[0]!.main;
  const others = [
    ...new Set(entries.flatMap(({ result }) => result.metrics.slice(1).map(({ name }) => name))),
  ];
  const metricTitle = (name: string) =>
    entries.flatMap(({ result }) => result.metrics).find((metric) => metric.name === name)!.title;
  const counts = ["ties"].filter((key) => entries.some(({ result }) => key in result.counts));
  const columns: Column[] = [
    { heading: "model", align: "left" },
    { heading: "protocol", align: "left" },
    { heading: `${main.title}${arrow(main.better)}`, align: "right" },
    { heading: "n", align: "right" },
    ...counts.map((key): Column => ({ heading: key, align: "right" })),
    ...others.map((name): Column => ({ heading: metricTitle(name), align: "right" })),
    ...(entries.some(hasP) ? [{ heading: "p", align: "right" } as const] : []),
  ];
  const rows = entries.map((entry): Cell[] => [
    entry.label,
    entry.protocol,
    metricCell(entry.main),
    count(entry.result.rows.selected),
    ...counts.map((key) => count(entry.result.counts[key] ?? Number.NaN)),
    ...others.map((name) => otherCell(entry, name)),
    ...(entries.some(hasP) ? [pText(entry)] : []),
  ]);
  return { caption: title, columns, rows, notes: notesOf(entries) };
}

const arrow = (better: string) => (better === "higher" ? " ↑" : better === "lower" ? " ↓" : "");

const hasP = ({ result }: Entry) => "pval" in result.published;
const pText = ({ result }: Entry) => pValue(result.published.pval ?? Number.NaN);

function otherCell({ result }: Entry, name: string): Cell {
  const metric = result.metrics.find((one) => one.name === name);
  return metric === undefined ? UNDEFINED : metricCell(metric);
}

/** How the intervals were made, why a number is missing, and what the results themselves want said. */
function notesOf(entries: readonly Entry[]): string[] {
  const undefinedOnes = entries.flatMap(({ label, result }) =>
    result.metrics
      .filter(({ value }) => value === null)
      .map(({ title, why }) => `${label}: no ${title}: ${why ?? "it is undefined"}.`),
  );
  const own = entries.flatMap(({ result }) => result.notes);
  return [...new Set([...undefinedOnes, ...own])];
}

/** `paired accuracy 0.731 [0.705, 0.756]`, for a line of text. */
export function headline({ metrics }: Pick<Measurement, "metrics">): string {
  const main = metrics[0]!;
  return main.value === null
    ? `${main.title} undefined: ${main.why ?? "no reason is known"}`
    : `${main.title} ${cellText(metricCell(main))}`;
}
