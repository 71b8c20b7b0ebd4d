import * as Plot from "@observablehq/plot";
import type { Bin, DifferenceChart } from "../page-data.ts";

/** Histogram of element minus control: right of zero the model prefers the real element. */
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

/** A narrow bar on zero, as high as there are ties. */
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
