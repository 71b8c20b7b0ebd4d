import type { Breakdown, Metric } from "../evaluation/tasks/measurement.ts";
import { count, UNDEFINED } from "./numbers.ts";
import { metricColumns, protocolRows } from "./panel-table.ts";
import type { Entry, Panel } from "./panels.ts";
import type { Table } from "./table.ts";

/** Name of the breakdown with the confusion matrix. */
const CONFUSION = "confusion";

/** Rows of each class by predicted class; undefined if the task has no confusion matrix. */
export const confusionOf = ({ result }: Entry): Breakdown | undefined =>
  result.breakdowns?.find(({ name }) => name === CONFUSION);

/**
 * Tables of metrics of parts of the rows, such as cell lines: one table with a line per model and part, and a
 * confusion matrix per model. Empty if the task has none.
 */
export function partsTables({ entries }: Pick<Panel, "entries">): readonly Table[] {
  const measured = metricsTable(entries);
  const seen = new Set<string>();
  const confusions = entries.flatMap((entry) => {
    const { label } = entry;
    const found = confusionOf(entry);
    // Predictions are equal under both protocols unless the model was retrained.
    const text = JSON.stringify([label, found]);
    if (found === undefined || seen.has(text)) return [];
    seen.add(text);
    return [confusionTable(label, found)];
  });
  return [...(measured === undefined ? [] : [measured]), ...confusions];
}

function metricsTable(entries: readonly Entry[]): Table | undefined {
  const ofParts = (metrics: readonly Metric[]) => metrics.filter(({ of }) => of !== undefined);
  const parts = [
    ...new Set(
      entries.flatMap(({ result }) => result.metrics.flatMap(({ of }) => (of === undefined ? [] : [of]))),
    ),
  ];
  if (parts.length === 0) return undefined;
  const columns = metricColumns(
    entries,
    ({ result }) => ofParts(result.metrics),
    ({ title, of }) => title.replace(`, ${of}`, ""),
  );
  return {
    caption: "Metrics by class",
    columns: [
      { heading: "model", align: "left" },
      { heading: "protocol", align: "left" },
      { heading: "class", align: "left" },
      ...columns.map(({ heading }) => ({ heading, align: "right" as const })),
    ],
    rows: parts.flatMap((part) =>
      protocolRows(
        entries.map(({ label, protocol, result }) => {
          const ofPart = { protocol, result: { metrics: result.metrics.filter(({ of }) => of === part) } };
          return { label, protocol, cells: [part, ...columns.map((column) => column.cell(ofPart))] };
        }),
      ),
    ),
  };
}

function confusionTable(label: string, { group, columns, rows }: Breakdown): Table {
  return {
    caption: `${label}: rows of each ${group} by predicted class`,
    heat: true,
    columns: [
      { heading: group, align: "left" },
      ...columns.map(({ title }) => ({ heading: title, align: "right" as const })),
    ],
    rows: rows.map(({ name, values }) => [
      name,
      ...values.map((value) => (value === null ? UNDEFINED : count(value))),
    ]),
  };
}
