import type { Estimate } from "../metrics/intervals.ts";
import { basisText, intervalText, methodName } from "./estimates.ts";
import { count, UNDEFINED } from "./numbers.ts";
import { protocolRows } from "./panel-table.ts";
import type { Panel } from "./panels.ts";
import type { Table, TableCell } from "./table.ts";

/** Every interval of the main metric, a column for each way of making one; undefined where there is none. */
export function intervalsTable({ entries }: Panel): Table | undefined {
  const ways = entries.map(({ main }) => waysOf(main.intervals));
  const headings = [...new Set(ways.flatMap((intervals) => [...intervals.keys()]))];
  if (headings.length === 0) return undefined;
  return {
    caption: `95 % intervals of ${entries[0].main.title}, by the way they were made`,
    columns: [
      { heading: "model", align: "left" },
      { heading: "protocol", align: "left" },
      ...headings.map((heading) => ({ heading, align: "right" as const })),
    ],
    rows: protocolRows(
      entries.map(({ label, protocol, result }, i) => ({
        label,
        protocol,
        cells: headings.map((heading) => intervalCell(ways[i].get(heading), result.rows.selected)),
      })),
    ),
    notes: entries.some(({ main, result }) => main.intervals.some(({ n }) => n !== result.rows.selected))
      ? ["n: what an interval counts, where that is not the number of evaluated rows."]
      : [],
  };
}

/** Intervals by their heading; a method that made several, with different denominators, has a heading for each. */
function waysOf(intervals: readonly Estimate[]): ReadonlyMap<string, Estimate> {
  const ways = new Map<string, Estimate>();
  for (const interval of intervals) {
    const name = methodName(interval.method);
    const heading = ways.has(name) ? `${name}, second denominator` : name;
    ways.set(heading, interval);
  }
  return ways;
}

/** With the number of trials where that is not the number of rows, and the blocks of an interval over blocks. */
function intervalCell(interval: Estimate | undefined, rows: number): TableCell {
  if (interval === undefined) return UNDEFINED;
  const { n, basis } = interval;
  const details = [
    ...(n === rows ? [] : [`n ${count(n)}`]),
    ...(basis === undefined ? [] : [basisText(basis)]),
  ];
  return { text: intervalText(interval), detail: details.join("; ") };
}
