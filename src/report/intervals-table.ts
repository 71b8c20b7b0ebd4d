import type { Estimate } from "../metrics/estimate.ts";
import { intervalText, methodName } from "./estimates.ts";
import { count, UNDEFINED } from "./numbers.ts";
import type { Panel } from "./panels.ts";
import { protocolRows } from "./protocol-lines.ts";
import type { Cell, Table } from "./tables/table.ts";

/** Every interval of the main metric, a column for each way of making one; undefined where there is none. */
export function intervalsTable({ entries }: Panel): Table | undefined {
  const methods = [...new Set(entries.flatMap(({ main }) => main.intervals.map(({ method }) => method)))];
  if (methods.length === 0) return undefined;
  return {
    caption: `95 % intervals of ${entries[0]!.main.title}, by the way they were made`,
    columns: [
      { heading: "model", align: "left" },
      { heading: "protocol", align: "left" },
      ...methods.map((method) => ({ heading: methodName(method), align: "right" as const })),
    ],
    rows: protocolRows(
      entries.map(({ label, protocol, main, result }) => ({
        label,
        protocol,
        cells: methods.map((method) =>
          intervalCell(
            main.intervals.find((interval) => interval.method === method),
            result.rows.selected,
          ),
        ),
      })),
    ),
    notes: entries.some(({ main, result }) => main.intervals.some(({ n }) => n !== result.rows.selected))
      ? ["n: what an interval counts, where that is not the number of rows asked."]
      : [],
  };
}

/** With the number of trials, where that is not the number of rows. */
function intervalCell(interval: Estimate | undefined, rows: number): Cell {
  if (interval === undefined) return UNDEFINED;
  return { text: intervalText(interval), detail: interval.n === rows ? "" : `n ${count(interval.n)}` };
}
