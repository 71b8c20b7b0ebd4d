import type { Measurement, Metric } from "../evaluation/tasks/measurement.ts";
import type { Protocol } from "../models/model.ts";
import { metricCell, metricHeading } from "./estimates.ts";
import { UNDEFINED } from "./numbers.ts";
import type { TableCell } from "./table.ts";

/** A row of a panel's table, as far as its metrics go. */
export interface MeasuredEntry {
  readonly protocol: Protocol;
  readonly result: Pick<Measurement, "metrics">;
}

/** A column of a table: one quantity, of every entry that measured it. */
export interface MetricColumn {
  /** With the protocol where only one of the panel's two measures this quantity, and an arrow to the better side. */
  readonly heading: string;
  /** The metric's own title. */
  readonly title: string;
  readonly better: Metric["better"];
  /** The entry's value; a dash where it measured something else. */
  cell(entry: MeasuredEntry): TableCell;
}

/**
 * Columns for some metrics of a panel's entries, in the order in which they first occur. Metrics share a column where they
 * measure the same quantity, whatever their names and titles are.
 *
 * @param choose   the metrics of an entry that get a column
 * @param heading  of a metric; its title by default
 */
export function metricColumns<E extends MeasuredEntry>(
  entries: readonly E[],
  choose: (entry: E) => readonly Metric[],
  heading: (metric: Metric) => string = ({ title }) => title,
): readonly MetricColumn[] {
  const found = new Map<string, { first: Metric; protocols: Set<Protocol> }>();
  for (const entry of entries) {
    for (const metric of choose(entry)) {
      const known = found.get(quantityOf(metric));
      if (known === undefined)
        found.set(quantityOf(metric), { first: metric, protocols: new Set([entry.protocol]) });
      else known.protocols.add(entry.protocol);
    }
  }
  const bothRun = new Set(entries.map(({ protocol }) => protocol)).size > 1;
  return [...found].map(([quantity, { first, protocols }]): MetricColumn => {
    const suffix = bothRun && protocols.size === 1 ? ` (${[...protocols].join()} protocol)` : "";
    return {
      heading: metricHeading({ title: `${heading(first)}${suffix}`, better: first.better }),
      title: first.title,
      better: first.better,
      cell({ result }) {
        const metric = result.metrics.find((one) => quantityOf(one) === quantity);
        return metric === undefined ? UNDEFINED : metricCell(metric);
      },
    };
  });
}

/** Classes have metrics of their own names, which measure the same of each. */
const quantityOf = ({ name, quantity }: Metric) => quantity ?? name;

/** A line of a table before its protocol is written. */
export interface ProtocolLine {
  readonly label: string;
  readonly protocol: Protocol;
  readonly cells: readonly TableCell[];
}

/** Rows `label, protocol, …cells`; lines of a model that say the same under both protocols become one. */
export function protocolRows(lines: readonly ProtocolLine[]): TableCell[][] {
  const rows = new Map<string, { label: string; protocols: Protocol[]; cells: readonly TableCell[] }>();
  for (const { label, protocol, cells } of lines) {
    const key = JSON.stringify([label, cells]);
    const same = rows.get(key);
    if (same === undefined) rows.set(key, { label, protocols: [protocol], cells });
    else same.protocols.push(protocol);
  }
  return [...rows.values()].map(({ label, protocols, cells }) => [
    label,
    protocols.length === 2 ? "both" : protocols[0],
    ...cells,
  ]);
}
