import type { Estimate } from "../metrics/intervals.ts";
import { basisText, intervalText, methodName } from "./estimates.ts";
import { count, UNDEFINED } from "./numbers.ts";
import { protocolRows } from "./panel-table.ts";
import type { Panel } from "./panels.ts";
import type { Table, TableCell } from "./table.ts";

/** All intervals of the main metric, one column per method; undefined without intervals. */
export function intervalsTable({ entries }: Panel): Table | undefined {
  const byMethod = entries.map(({ main }) => intervalsByHeading(main.intervals));
  const headings = [...new Set(byMethod.flatMap((intervals) => [...intervals.keys()]))];
  if (headings.length === 0) return undefined;
  return {
    caption: `95 % intervals of ${entries[0].main.title} by method`,
    columns: [
      { heading: "model", align: "left" },
      { heading: "protocol", align: "left" },
      ...headings.map((heading) => ({ heading, align: "right" as const })),
    ],
    rows: protocolRows(
      entries.map(({ label, protocol, result }, i) => ({
        label,
        protocol,
        cells: headings.map((heading) => intervalCell(byMethod[i].get(heading), result.rows.selected)),
      })),
    ),
    notes: entries.some(({ main, result }) => main.intervals.some(({ n }) => n !== result.rows.selected))
      ? ["n: number of trials of an interval, where it is not the number of evaluated rows."]
      : [],
  };
}

/** Intervals by column heading. Intervals of one method with different denominators get separate columns. */
function intervalsByHeading(intervals: readonly Estimate[]): ReadonlyMap<string, Estimate> {
  const found = new Map<string, Estimate>();
  for (const interval of intervals) {
    const name = methodName(interval.method);
    found.set(found.has(name) ? `${name}, second n` : name, interval);
  }
  return found;
}

/** Cell with an interval, its denominator if it is not the number of rows, and its blocks. */
function intervalCell(interval: Estimate | undefined, rows: number): TableCell {
  if (interval === undefined) return UNDEFINED;
  const { n, basis } = interval;
  const details = [
    ...(n === rows ? [] : [`n ${count(n)}`]),
    ...(basis === undefined ? [] : [basisText(basis)]),
  ];
  return { text: intervalText(interval), detail: details.join("; ") };
}
