import type { Measurement } from "../evaluation/tasks/measurement.ts";
import { ARROWS, isPValue, metricCell, metricHeading } from "./estimates.ts";
import { count, pValue, scientific } from "./numbers.ts";
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
    { heading: metricHeading(main), align: "right" },
    { heading: "n", align: "right" },
    ...(withTies ? [{ heading: "ties", align: "right" } as const] : []),
    ...(withP ? [{ heading: "p", align: "right" } as const] : []),
  ];
  const rows = entries.map((entry): Cell[] => [
    entry.label,
    entry.protocol,
    metricCell(entry.main),
    count(entry.result.rows.selected),
    ...(withTies ? [tiesCell(entry.result)] : []),
    ...(withP ? [pValue(pOf(entry.result)?.value ?? Number.NaN)] : []),
  ]);
  return { caption: title, columns, rows, notes: [legend(entries, withTies), ...notesOf(entries)] };
}

/** The number of ties and, where scores need not be equal for one, the largest tolerance. */
function tiesCell({ counts, ties }: Pick<Measurement, "counts" | "ties">): Cell {
  const text = count(counts.ties ?? Number.NaN);
  return ties === undefined ? text : { text, detail: `within ${scientific(ties.tolerance)}` };
}

/** The test of the main metric, where the task has one. */
const pOf = ({ metrics }: Pick<Measurement, "metrics">) => metrics.find(({ name }) => isPValue(name));

/** What the columns and signs mean. */
function legend(entries: readonly Entry[], withTies: boolean): string {
  const { better } = entries[0]!.main;
  const p = entries.map(({ result }) => pOf(result)).find((metric) => metric !== undefined);
  return [
    ...(better === "neither" ? [] : [`${ARROWS[better]}: ${better} is better`]),
    ...(entries.some(({ main }) => main.intervals.length > 0) ? ["in brackets: 95 % interval"] : []),
    "n: rows asked",
    ...(withTies ? [tiesLegend(entries)] : []),
    ...(p === undefined ? [] : [`p: ${p.title}`]),
  ]
    .join("; ")
    .concat(".");
}

function tiesLegend(entries: readonly Entry[]): string {
  const legend = "ties: rows whose two scores are equal";
  return entries.every(({ result }) => result.ties === undefined)
    ? legend
    : `${legend} or, under corrected, within the rounding of the model's scores (the largest tolerance is shown)`;
}

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
  const others =
    new Set(entries.map(({ result }) => result.rows.digest)).size > 1
      ? ["Not all of these numbers are of the same rows (see n): part of a difference may be of the rows."]
      : [];
  const own = [...others, ...sampled, ...entries.flatMap(({ result }) => result.notes)];
  return [...new Set([...undefinedOnes, ...own])];
}

/** `paired accuracy 0.731 [0.705, 0.756]`, for a line of text. */
export function headline({ metrics }: Pick<Measurement, "metrics">): string {
  const main = metrics[0]!;
  return main.value === null
    ? `${main.title} undefined: ${main.why ?? "no reason is known"}`
    : `${main.title} ${cellText(metricCell(main))}`;
}
