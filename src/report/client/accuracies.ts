import * as Plot from "@observablehq/plot";
import { axisDomain } from "../axis-domain.ts";
import type { AccuracyChart, AccuracyMark } from "../page-data.ts";

/** Forest plot: one line per model, a dot at the value, a bar over its interval, chance dashed. */
export function drawAccuracies({ marks, chance, axis, title }: AccuracyChart, width: number): Element {
  const rows = [...new Set(marks.map((mark) => mark.row))];
  const protocols = new Set(marks.map((mark) => mark.protocol));
  // The two protocols of a model lie above and below its line.
  const shift = (protocol: string) => (protocols.size === 1 ? 0 : protocol === "corrected" ? -8 : 8);
  // Letters are about 7 px wide. Names that would take too much of the width stand above their line instead.
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
      // A label such as 0.55 takes about 30 px.
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
