import * as Plot from "@observablehq/plot";
import type { RankedChart } from "../page-data.ts";

interface Point {
  readonly label: string;
  readonly place: number;
  readonly value: number;
}

/** Falling curves: the values of each model in order, the best first. */
export function drawRanked({ curves, chance, axis, value, title }: RankedChart, width: number): Element {
  const points = curves.flatMap(({ label, values }) =>
    values.map((each, i): Point => ({ label, place: i + 1, value: each })),
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
      Plot.lineY(points, { x: "place", y: "value", stroke: "label", strokeWidth: 2, curve: "step-after" }),
      Plot.tip(
        points,
        Plot.pointer({
          x: "place",
          y: "value",
          title: ({ label, place, value: each }: Point) => `${label}\nplace ${place}: ${each}`,
          fill: "var(--sheet)",
          stroke: "var(--line)",
        }),
      ),
    ],
  });
}
