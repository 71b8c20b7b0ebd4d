import type { Measurement, Metric } from "../evaluation/tasks/measurement.ts";
import { ARROWS, basisText, isPValue, metricCell } from "./estimates.ts";
import { count, scientific } from "./numbers.ts";
import { type MetricColumn, metricColumns } from "./panel-table.ts";
import type { Entry, Panel } from "./panels.ts";
import { cellText, type Table, type TableCell, type TableColumn } from "./table.ts";

/**
 * One line per model and protocol, best first: the main metric with its interval, the others that lead the paper's table,
 * the number of rows, and the test.
 */
export function leaderboardTable(panel: Panel, title: string): Table {
  const { entries, apart } = panel;
  const short = ({ column, title }: Metric) => column ?? title;
  const mains = metricColumns(entries, ({ main }) => [main], short);
  const others = metricColumns(
    entries,
    ({ main, result }) => result.metrics.filter((metric) => metric !== main && metric.column !== undefined),
    short,
  );
  const tests = metricColumns(
    entries,
    ({ result }) => pOf(result),
    () => "p",
  );
  const withTies = entries.some(({ result }) => "ties" in result.counts);
  const columns: TableColumn[] = [
    { heading: "model", align: "left" },
    { heading: "protocol", align: "left" },
    ...[...mains, ...others].map(({ heading }) => ({ heading, align: "right" as const })),
    { heading: "n", align: "right" },
    ...(withTies ? [{ heading: "ties", align: "right" } as const] : []),
    ...tests.map(({ heading }) => ({ heading: withoutArrow(heading), align: "right" as const })),
  ];
  const rows = entries.map((entry): TableCell[] => [
    entry.label,
    entry.protocol,
    ...[...mains, ...others].map((column) => column.cell(entry)),
    count(entry.result.rows.selected),
    ...(withTies ? [tiesCell(entry.result)] : []),
    ...tests.map((column) => column.cell(entry)),
  ]);
  const notes = [
    legend(entries, { mains, others, tests, withTies }),
    ...(apart === undefined ? [] : [apart.why]),
    ...notesOf(entries),
  ];
  return { caption: title, columns, rows, notes };
}

/** The number of ties and, where scores need not be equal for one, the largest tolerance. */
function tiesCell({ counts, ties }: Pick<Measurement, "counts" | "ties">): TableCell {
  const text = count(counts.ties ?? Number.NaN);
  return ties === undefined ? text : { text, detail: `within ${scientific(ties.tolerance)}` };
}

/** The test of the main metric, where the task has one: the first, which is the one to print. */
const pOf = ({ metrics }: Pick<Measurement, "metrics">) =>
  metrics.filter(({ name }) => isPValue(name)).slice(0, 1);

/** A small p is no merit of a model. */
const withoutArrow = (heading: string) => heading.replace(/ [↑↓]$/, "");

interface Columns {
  readonly mains: readonly MetricColumn[];
  readonly others: readonly MetricColumn[];
  readonly tests: readonly MetricColumn[];
  readonly withTies: boolean;
}

/** What the columns and signs mean. */
function legend(entries: readonly Entry[], { mains, others, tests, withTies }: Columns): string {
  const { better } = mains[0];
  const explained = [...mains, ...others].filter(({ heading, title }) => withoutArrow(heading) !== title);
  return [
    ...(better === "neither" ? [] : [`${ARROWS[better]}: ${better} is better`]),
    ...(entries.some(({ main }) => main.intervals.length > 0) ? ["in brackets: 95 % interval"] : []),
    ...explained.map(({ heading, title }) => `${withoutArrow(heading)}: ${title}`),
    "n: evaluated rows",
    ...(withTies ? [tiesLegend(entries)] : []),
    ...tests.map(({ heading, title }) => `${withoutArrow(heading)}: ${title}`),
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

/** Why a number is missing, how rows were sampled, and what the results themselves report. */
function notesOf(entries: readonly Entry[]): string[] {
  const undefinedOnes = entries.flatMap(({ label, result }) =>
    [result.metrics[0], ...pOf(result)]
      .filter(({ value }) => value === null)
      .map(({ title, why }) => `${label}: undefined ${title}: ${why ?? "no reason is known"}.`),
  );
  const sampled = entries.some(({ result }) => result.cell.sample !== undefined)
    ? [
        "Rows are a sample with so many of each kind: numbers that depend on the shares of the kinds, such as average precision, are of the sample.",
      ]
    : [];
  return [
    ...new Set(undefinedOnes),
    ...blocksText(entries),
    ...sampled,
    ...attributedNotes(entries, ({ result }) => result.notes),
  ];
}

/** The blocks of the printed intervals, and how far neighbouring ones depend on each other. */
function blocksText(entries: readonly Entry[]): string[] {
  const correlationsOf = new Map<string, number[]>();
  for (const { main } of entries) {
    const basis = main.intervals.find((interval) => interval.basis !== undefined)?.basis;
    if (basis === undefined) continue;
    const { neighbourCorrelation, ...blocks } = basis;
    const text = basisText(blocks);
    const known = neighbourCorrelation === undefined ? [] : [neighbourCorrelation];
    correlationsOf.set(text, [...(correlationsOf.get(text) ?? []), ...known]);
  }
  return [...correlationsOf].map(([text, correlations]) => {
    const [least, most] = [Math.min(...correlations), Math.max(...correlations)].map((r) => r.toFixed(2));
    const dependence =
      correlations.length === 0
        ? ""
        : `; contributions of neighbouring blocks have a correlation of ${least === most ? least : `${least} to ${most}`}`;
    return `Intervals over ${text}${dependence}.`;
  });
}

/** `paired accuracy 0.731 [0.705, 0.756]`, for a line of text. */
export function headline({ metrics }: Pick<Measurement, "metrics">): string {
  const main = metrics[0];
  return main.value === null
    ? `${main.title} undefined: ${main.why ?? "no reason is known"}`
    : `${main.title} ${cellText(metricCell(main))}`;
}

type Noted = Pick<Entry, "label" | "protocol">;

/** Models that a note names before it counts them. */
const NAMED = 3;

/**
 * The entries' notes, each text once, in the order of their first occurrence. A note that does not hold for all entries begins
 * with those that it holds for: a protocol, or models.
 */
function attributedNotes<E extends Noted>(
  entries: readonly E[],
  notesOf: (entry: E) => readonly string[],
): string[] {
  const holders = new Map<string, E[]>();
  for (const entry of entries) {
    for (const note of new Set(notesOf(entry))) holders.set(note, [...(holders.get(note) ?? []), entry]);
  }
  return [...holders].map(([note, some]) => `${prefix(some, entries)}${note}`);
}

function prefix(some: readonly Noted[], all: readonly Noted[]): string {
  if (some.length === all.length) return "";
  for (const protocol of ["paper", "corrected"] as const) {
    const ofProtocol = all.filter((entry) => entry.protocol === protocol);
    if (ofProtocol.length === some.length && ofProtocol.every((entry) => some.includes(entry)))
      return `Under the ${protocol} protocol: `;
  }
  const ambiguous = new Set(all.map(({ protocol }) => protocol)).size > 1;
  const labels = [...new Set(some.map(({ label }) => label))];
  const names = labels.map((label) => {
    const protocols = some.filter((entry) => entry.label === label).map(({ protocol }) => protocol);
    const everywhere = all.filter((entry) => entry.label === label).length === protocols.length;
    return ambiguous && !everywhere ? `${label} (${protocols.join(", ")})` : label;
  });
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
  return `${names.slice(0, NAMED).join(", ")}${more}: `;
}
