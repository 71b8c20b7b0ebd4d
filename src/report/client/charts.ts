import * as Plot from "@observablehq/plot";
import {
  type AccuracyChart,
  type AccuracyMark,
  axisDomain,
  type Bin,
  type DifferenceChart,
  type RankedChart,
} from "../chart-data.ts";

/** Forest plot: one row per model with value and interval, and a dashed line at chance. */
export function drawAccuracies({ marks, chance, axis, title }: AccuracyChart, width: number): Element {
  const rows = [...new Set(marks.map((mark) => mark.row))];
  const protocols = new Set(marks.map((mark) => mark.protocol));
  // The two protocols of a model are drawn above and below its row.
  const shift = (protocol: string) => (protocols.size === 1 ? 0 : protocol === "corrected" ? -8 : 8);
  // Characters are about 7 px wide. Long names are drawn above their row instead of in the margin.
  const names = 20 + 7 * Math.max(...rows.map((row) => row.length));
  const above = names > width * 0.36;
  const [left, right] = [above ? 12 : names, 24];
  const ofProtocol = (protocol: string) => {
    const some = marks.filter((mark) => mark.protocol === protocol);
    const stroke = `var(--${protocol})`;
    const dy = shift(protocol);
    const end = { stroke, strokeWidth: 2, inset: above ? 22 : 14, dy };
    return [
      Plot.ruleY(some, { y: "row", x1: "low", x2: "high", stroke, strokeWidth: 2.5, dy }),
      Plot.tickX(some, { x: "low", y: "row", ...end }),
      Plot.tickX(some, { x: "high", y: "row", ...end }),
      Plot.dot(some, {
        x: "value",
        y: "row",
        r: 5.5,
        fill: stroke,
        stroke: "var(--sheet)",
        strokeWidth: 1.5,
        dy,
      }),
    ];
  };
  return Plot.plot({
    width,
    height: 66 + rows.length * (above ? 62 : 46),
    marginLeft: left,
    marginRight: right,
    marginTop: 18,
    marginBottom: 44,
    className: "plot",
    ariaLabel: title,
    x: {
      domain: axisDomain(marks, chance),
      label: axis,
      labelAnchor: "center",
      labelArrow: "none",
      grid: true,
      // A label such as 0.55 is about 30 px wide.
      ticks: Math.min(7, Math.max(2, Math.floor((width - left - right) / 60))),
    },
    y: { domain: rows, label: null, tickSize: 0, tickPadding: 10, axis: above ? null : "left" },
    marks: [
      ...(chance === null ? [] : chanceLine(chance)),
      ...(above ? [namesAbove(rows)] : []),
      ...ofProtocol("paper"),
      ...ofProtocol("corrected"),
      Plot.tip(
        marks,
        Plot.pointer({
          x: "value",
          y: "row",
          title: (mark: AccuracyMark) => mark.detail,
          fill: "var(--sheet)",
          stroke: "var(--line)",
        }),
      ),
    ],
  });
}

function namesAbove(rows: readonly string[]) {
  const style = { fill: "var(--ink)", stroke: "var(--sheet)", strokeWidth: 4, fontSize: 13 };
  return Plot.text(rows, {
    y: (row: string) => row,
    text: (row: string) => row,
    frameAnchor: "left",
    dy: -22,
    ...style,
  });
}

function chanceLine(chance: number) {
  const x = (value: number) => value;
  return [
    Plot.ruleX([chance], { x, stroke: "var(--ink-soft)", strokeDasharray: "4 4" }),
    Plot.text([chance], { x, frameAnchor: "top", dy: -12, text: () => "chance", fill: "var(--ink-soft)" }),
  ];
}

/** Histogram of element minus control. Right of zero, the model prefers the real element. */
export function drawDifferences({ bins, ties, median, title }: DifferenceChart, width: number): Element {
  const x = (value: number) => value;
  const side = (bin: Bin) => (bin.from + bin.to > 0 ? "var(--right)" : "var(--wrong)");
  return Plot.plot({
    width,
    height: 200,
    marginLeft: 46,
    marginRight: 10,
    marginTop: 24,
    marginBottom: 40,
    className: "plot",
    ariaLabel: title,
    x: {
      label: "element − control, nats",
      labelAnchor: "center",
      labelArrow: "none",
      ticks: Math.max(3, Math.round(width / 80)),
      ...(bins.length === 0 ? { domain: [-1, 1] } : {}),
    },
    y: { label: "pairs", labelArrow: "none", grid: true, ticks: 4, tickFormat: "~s" },
    marks: [
      Plot.rectY(bins, {
        x1: "from",
        x2: "to",
        y: "rows",
        fill: side,
        insetLeft: 0.5,
        insetRight: 0.5,
        title: (bin: Bin) => `${bin.from} to ${bin.to} nats\n${bin.rows.toLocaleString("en-US")} pairs`,
        tip: { fill: "var(--sheet)", stroke: "var(--line)" },
      }),
      ...(ties === 0 ? [] : [tieBar(ties)]),
      Plot.ruleY([0], { stroke: "var(--ink-soft)" }),
      Plot.ruleX([0], { stroke: "var(--ink)", strokeWidth: 1.5 }),
      Plot.ruleX([median], { x, stroke: "var(--ink)", strokeDasharray: "2 3" }),
      Plot.text([median], {
        x,
        frameAnchor: "top",
        dy: -12,
        text: (value: number) => `median ${value.toPrecision(3).replace("-", "−")}`,
        fill: "var(--ink)",
      }),
    ],
  });
}

/** Narrow bar at zero for the number of ties. */
function tieBar(ties: number) {
  return Plot.ruleX([ties], {
    x: () => 0,
    y1: 0,
    y2: (rows: number) => rows,
    stroke: "var(--tie)",
    strokeWidth: 7,
    title: (rows: number) => `equal scores\n${rows.toLocaleString("en-US")} pairs`,
    tip: { fill: "var(--sheet)", stroke: "var(--line)" },
  });
}

interface Point {
  readonly label: string;
  readonly rank: number;
  readonly value: number;
}

/** Rank curves: the values of each model in descending order. */
export function drawRanked({ curves, chance, axis, value, title }: RankedChart, width: number): Element {
  const points = curves.flatMap(({ label, values }) =>
    values.map((each, i): Point => ({ label, rank: i + 1, value: each })),
  );
  return Plot.plot({
    width,
    height: 300,
    marginLeft: 48,
    marginRight: 16,
    marginBottom: 44,
    className: "plot",
    ariaLabel: title,
    color: { legend: true, scheme: "Tableau10", domain: curves.map(({ label }) => label) },
    x: {
      label: axis,
      labelAnchor: "center",
      labelArrow: "none",
      ticks: Math.max(3, Math.round(width / 110)),
    },
    y: { label: value, labelArrow: "none", domain: [0, 1], grid: true, ticks: 6 },
    marks: [
      Plot.ruleY([chance], { y: (each: number) => each, stroke: "var(--ink-soft)", strokeDasharray: "4 4" }),
      Plot.lineY(points, { x: "rank", y: "value", stroke: "label", strokeWidth: 2, curve: "step-after" }),
      Plot.tip(
        points,
        Plot.pointer({
          x: "rank",
          y: "value",
          title: ({ label, rank, value: each }: Point) => `${label}\nrank ${rank}: ${each}`,
          fill: "var(--sheet)",
          stroke: "var(--line)",
        }),
      ),
    ],
  });
}
