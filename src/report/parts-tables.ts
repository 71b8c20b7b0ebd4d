import type { Breakdown, Metric } from "../evaluation/tasks/measurement.ts";
import { count, UNDEFINED } from "./numbers.ts";
import { metricColumns, protocolRows } from "./panel-table.ts";
import type { Entry, Panel } from "./panels.ts";
import type { Table } from "./table.ts";

/** Name of the breakdown that says which class was taken for which. */
const CONFUSION = "confusion";

/**
 * What was measured of parts of the rows, such as each cell line: a table with a line per model and part, and one per model
 * of which part was taken for which. None where nothing was.
 */
export function partsTables({ entries }: Pick<Panel, "entries">): readonly Table[] {
  const measured = metricsTable(entries);
  const seen = new Set<string>();
  const confusions = entries.flatMap(({ label, result }) => {
    const found = result.breakdowns?.find(({ name }) => name === CONFUSION);
    // The answers are the same under both protocols, unless the model was trained anew.
    const text = JSON.stringify([label, found]);
    if (found === undefined || seen.has(text)) return [];
    seen.add(text);
    return [confusionTable(label, found)];
  });
  return [...(measured === undefined ? [] : [measured]), ...confusions];
}

function metricsTable(entries: readonly Entry[]): Table | undefined {
  const ofParts = (metrics: readonly Metric[]) => metrics.filter(({ of }) => of !== undefined);
  const parts = [...new Set(entries.flatMap(({ result }) => ofParts(result.metrics).map(({ of }) => of!)))];
  if (parts.length === 0) return undefined;
  const columns = metricColumns(
    entries,
    ({ result }) => ofParts(result.metrics),
    ({ title, of }) => title.replace(`, ${of}`, ""),
  );
  return {
    caption: "Part by part",
    columns: [
      { heading: "model", align: "left" },
      { heading: "protocol", align: "left" },
      { heading: "part", align: "left" },
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
    caption: `${label}: rows of each ${group}, by what they were taken for`,
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
