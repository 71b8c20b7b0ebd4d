import { methodName } from "./estimates.ts";
import { count, fixed } from "./numbers.ts";
import type { Panel } from "./panels.ts";
import type { Table } from "./tables/table.ts";

/** Every interval computed for every metric, by method: how much the answer depends on the way of counting. */
export function intervalsTable({ entries }: Panel): Table {
  const shown = entries.flatMap(({ result }) =>
    result.metrics.filter(({ intervals }) => intervals.length > 0),
  );
  const several = new Set(shown.map(({ name }) => name)).size > 1;
  return {
    caption: "Every 95 % interval, by the way it was made",
    columns: [
      { heading: "model", align: "left" },
      { heading: "protocol", align: "left" },
      ...(several ? [{ heading: "metric", align: "left" as const }] : []),
      { heading: "interval", align: "left" },
      { heading: "low", align: "right" },
      { heading: "high", align: "right" },
      { heading: "width", align: "right" },
      { heading: "n", align: "right" },
    ],
    rows: entries.flatMap(({ label, protocol, result }) =>
      result.metrics.flatMap(({ title, intervals }) =>
        intervals.map(({ low, high, n, method }) => [
          label,
          protocol,
          ...(several ? [title] : []),
          methodName(method),
          fixed(low, 4),
          fixed(high, 4),
          fixed(high - low, 4),
          count(n),
        ]),
      ),
    ),
  };
}
