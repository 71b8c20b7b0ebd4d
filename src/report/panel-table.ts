import type { Measurement, Metric } from "../evaluation/tasks/measurement.ts";
import type { Protocol } from "../models/model.ts";
import { metricCell, metricHeading } from "./estimates.ts";
import { UNDEFINED } from "./numbers.ts";
import type { TableCell } from "./table.ts";

/** Entry of a panel with its metrics. */
export interface MeasuredEntry {
  readonly protocol: Protocol;
  readonly result: Pick<Measurement, "metrics">;
}

/** Column of a table: one quantity of all entries. */
export interface MetricColumn {
  /**
   * Title with an arrow for better values, and the protocol if only one of two protocols has this quantity.
   */
  readonly heading: string;
  /** The metric's title. */
  readonly title: string;
  readonly better: Metric["better"];
  /** The entry's value, or a dash. */
  cell(entry: MeasuredEntry): TableCell;
}

/**
 * Columns for metrics of a panel's entries, in order of first occurrence. Metrics of the same quantity share
 * a column, even if their names and titles differ.
 *
 * @param choose   metrics of an entry that get a column
 * @param heading  heading of a metric; default: its title
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

/** Quantity of a metric, which is the same for the metrics of all classes. */
const quantityOf = ({ name, quantity }: Metric) => quantity ?? name;

/** Line of a table for one model and protocol. */
export interface ProtocolLine {
  readonly label: string;
  readonly protocol: Protocol;
  readonly cells: readonly TableCell[];
}

/** Rows `label, protocol, …cells`. Equal lines of a model under both protocols are merged. */
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
