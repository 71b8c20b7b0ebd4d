import type { Measurement } from "../evaluation/tasks/measurement.ts";
import { ARROWS, basisText, isPValue, metricCell, metricLabel } from "./estimates.ts";
import { chanceOf } from "./forest.ts";
import { count, fixed, scientific } from "./numbers.ts";
import { type MetricColumn, metricColumns } from "./panel-table.ts";
import type { Entry, Panel } from "./panels.ts";
import { cellText, type Table, type TableCell, type TableColumn } from "./table.ts";

/**
 * Leaderboard of a panel: one line per model and protocol, best first, with the main metric and its interval,
 * the other metrics of the paper's main table, the number of rows, and the p-value.
 */
export function leaderboardTable(panel: Panel, title: string): Table {
  const { entries } = panel;
  const mains = metricColumns(entries, ({ main }) => [main], metricLabel);
  const others = metricColumns(
    entries,
    ({ main, result }) => result.metrics.filter((metric) => metric !== main && metric.column !== undefined),
    metricLabel,
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
    entry.control === undefined ? entry.label : { text: entry.label, detail: `(${entry.control})` },
    entry.protocol,
    ...[...mains, ...others].map((column) => column.cell(entry)),
    count(entry.result.rows.selected),
    ...(withTies ? [tiesCell(entry.result)] : []),
    ...tests.map((column) => column.cell(entry)),
  ]);
  const notes = [legend(entries, { mains, others, tests, withTies }), ...panelNotes(panel)];
  return { caption: title, columns, rows, notes };
}

/** Chance level of the main metric, in a panel with controls; the largest if it differs between rows. */
function chanceNote(entries: readonly Entry[]): readonly string[] {
  const levels = entries.map(({ main }) => chanceOf(main)).filter((level) => level !== undefined);
  if (levels.length === 0 || entries.every(({ control }) => control === undefined)) return [];
  return [`Chance level: ${fixed(Math.max(...levels))}.`];
}

/** Cell with the number of ties and their tolerance, if it is not 0. */
function tiesCell({ counts, ties }: Pick<Measurement, "counts" | "ties">): TableCell {
  const text = count(counts.ties ?? Number.NaN);
  return ties === undefined ? text : { text, detail: `within ${scientific(ties.tolerance)}` };
}

/** The first p-value of a result, which is the main metric's; empty without tests. */
export const pOf = ({ metrics }: Pick<Measurement, "metrics">) =>
  metrics.filter(({ name }) => isPValue(name)).slice(0, 1);

/** Removes the arrow, since a small p-value does not rank models. */
const withoutArrow = (heading: string) => heading.replace(/ [↑↓]$/, "");

interface Columns {
  readonly mains: readonly MetricColumn[];
  readonly others: readonly MetricColumn[];
  readonly tests: readonly MetricColumn[];
  readonly withTies: boolean;
}

/** Legend of columns and symbols. */
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

/** Notes on other panels, undefined values, blocks and sampling, and the notes of the results. */
export function panelNotes({ entries, apart }: Pick<Panel, "entries" | "apart">): string[] {
  const undefinedOnes = entries.flatMap(({ label, result }) =>
    [result.metrics[0], ...pOf(result)]
      .filter(({ value }) => value === null)
      .map(({ title, why }) => `${label}: ${title} is undefined: ${why ?? "no reason recorded"}.`),
  );
  const sampled = entries.some(({ result }) => result.cell.sample !== undefined)
    ? [
        "Rows are a stratified sample: metrics that depend on class shares, such as average precision, apply to the sample.",
      ]
    : [];
  return [
    ...chanceNote(entries),
    ...(apart === undefined ? [] : [apart.why]),
    ...new Set(undefinedOnes),
    ...blocksText(entries),
    ...sampled,
    ...attributedNotes(entries, ({ result }) => result.notes),
  ];
}

/** Blocks of the printed intervals, and the correlation of neighbouring blocks. */
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
        : `; correlation of neighbouring blocks ${least === most ? least : `${least} to ${most}`}`;
    return `Intervals over ${text}${dependence}.`;
  });
}

/** Main metric as text: `paired accuracy 0.731 [0.705, 0.756]`. */
export function headline({ metrics }: Pick<Measurement, "metrics">): string {
  const main = metrics[0];
  return main.value === null
    ? `${main.title} undefined: ${main.why ?? "no reason recorded"}`
    : `${main.title} ${cellText(metricCell(main))}`;
}

type Noted = Pick<Entry, "label" | "protocol">;

/** Largest number of models that a note names. */
const NAMED = 3;

/**
 * Distinct notes of the entries, in order of first occurrence. A note that does not apply to all entries has
 * a prefix with the protocol or the models that it applies to.
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
