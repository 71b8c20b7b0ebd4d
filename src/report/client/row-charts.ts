import * as Plot from "@observablehq/plot";
import type { Axis, Figure, HistogramChart, ScatterChart } from "../figure-data.ts";
import { type Drawing, type Marks, SOFT, shownNumber, withTip } from "./plot.ts";

/** Distribution of one number per row. */
export function histogram({ bins, ties, median, sides }: HistogramChart, drawing: Drawing): Marks {
  const middle = ({ from, to }: HistogramChart["bins"][number]) => (from + to) / 2;
  return {
    marks: [
      Plot.rectY(bins, {
        x1: "from",
        x2: "to",
        y: "rows",
        fill: (bin: HistogramChart["bins"][number]) => (middle(bin) > 0 ? "var(--right)" : "var(--wrong)"),
        insetLeft: 0.5,
        insetRight: 0.5,
        title: (bin: HistogramChart["bins"][number]) =>
          `${sides[middle(bin) > 0 ? 0 : 1]}\n${bin.from} to ${bin.to}: ${bin.rows.toLocaleString("en-US")} rows`,
        ...withTip(drawing),
      }),
      ...(ties === 0
        ? []
        : [
            Plot.ruleX([ties], {
              x: () => 0,
              y1: 0,
              y2: (rows: number) => rows,
              stroke: "var(--tie)",
              strokeWidth: 5,
              clip: true,
              title: (rows: number) => `ties: ${rows.toLocaleString("en-US")} rows`,
              ...withTip(drawing),
            }),
          ]),
      Plot.ruleY([0], { stroke: SOFT }),
      Plot.ruleX([0], { stroke: "var(--ink)" }),
      Plot.ruleX([median], { stroke: "var(--ink)", strokeDasharray: "1.5 3" }),
      // In the margin above the bars.
      Plot.text([median], {
        x: (value: number) => value,
        frameAnchor: "top",
        dy: -10,
        text: (value: number) =>
          `median ${shownNumber(value)}${ties === 0 ? "" : `, ${ties.toLocaleString("en-US")} ties`}`,
        fill: "var(--ink)",
      }),
    ],
  };
}

type Rectangle = ScatterChart["rectangles"][number];

/** Two numbers per row. */
export function scatter(
  { points: some, rectangles, reference: at, note }: ScatterChart,
  { x, y }: Pick<Figure, "x" | "y">,
  drawing: Drawing,
): Marks {
  const most = Math.max(1, ...rectangles.map(([, , , , rows]) => rows));
  const edge = ({ domain = [-1, 1] }: Axis, sign: number) => (sign > 0 ? domain[1] : domain[0]);
  const diagonal = [-1, 1].map((sign) => {
    const ends = [edge(x, sign), edge(y, sign)];
    const end = sign > 0 ? Math.min(...ends) : Math.max(...ends);
    return [end, end] satisfies [number, number];
  });
  return {
    options: { clip: true },
    marks: [
      ...(at === "signs"
        ? [
            Plot.rect([1, -1], {
              x1: 0,
              x2: (sign: number) => edge(x, sign),
              y1: 0,
              y2: (sign: number) => edge(y, sign),
              fill: "var(--right)",
              fillOpacity: 0.07,
              clip: true,
            }),
            Plot.ruleX([0], { stroke: SOFT }),
            Plot.ruleY([0], { stroke: SOFT }),
          ]
        : [Plot.line(diagonal, { stroke: SOFT, strokeDasharray: "4 4", clip: true })]),
      Plot.rect(rectangles, {
        x1: (r: Rectangle) => r[0],
        x2: (r: Rectangle) => r[1],
        y1: (r: Rectangle) => r[2],
        y2: (r: Rectangle) => r[3],
        fill: "var(--accent)",
        fillOpacity: (r: Rectangle) => 0.12 + 0.88 * Math.sqrt(r[4] / most),
        title: (r: Rectangle) => `${r[4].toLocaleString("en-US")} rows`,
        ...withTip(drawing),
      }),
      Plot.dot(some, {
        x: (point: ScatterChart["points"][number]) => point[0],
        y: (point: ScatterChart["points"][number]) => point[1],
        r: 2.2,
        fill: "var(--accent)",
        fillOpacity: 0.45,
      }),
      // In the margin above the points.
      Plot.text([note], {
        text: (one: string) => one,
        frameAnchor: "top-left",
        dy: -12,
        fill: "var(--ink)",
        clip: false,
      }),
    ],
  };
}
