import * as Plot from "@observablehq/plot";
import type { Axis, Chart, CurvesChart, Figure, FileFigure, PointsChart } from "../figure-data.ts";
import {
  axisOf,
  colourOf,
  type Drawing,
  drawPlot,
  type Marks,
  pointerTip,
  reference,
  shownNumber,
  textWidth,
} from "./plot.ts";
import { histogram, scatter } from "./row-charts.ts";

/** Number of lines at which legends are left to the tooltips. */
const MANY = 12;

/** Draws one chart of a figure with the figure's axes. */
export function drawChart(chart: Chart, figure: FileFigure | Figure, drawing: Drawing): Element {
  const { width } = drawing;
  const drawn = marksOf(chart, figure, drawing);
  return drawPlot(drawing, {
    height: Math.round(Math.min(340, Math.max(190, width * 0.72))),
    marginLeft: leftMargin(figure.y),
    marginRight: 14,
    marginTop: 22,
    marginBottom: 40,
    ariaLabel: figure.charts.length > 1 ? `${figure.title}, ${chart.title}` : figure.title,
    x: { ...axisOf(figure.x), ticks: Math.max(3, Math.floor(width / 80)) },
    y: { ...axisOf(figure.y), grid: true, ticks: 5 },
    ...drawn.options,
    marks: drawn.marks,
  });
}

/** Room for the numbers and the label of a vertical axis. */
function leftMargin({ domain, log }: Axis): number {
  if (domain === undefined || log !== undefined) return 58;
  return 28 + Math.max(24, textWidth(Math.round(domain[1]).toLocaleString("en-US")));
}

function marksOf(chart: Chart, figure: FileFigure | Figure, drawing: Drawing): Marks {
  switch (chart.kind) {
    case "curves":
      return curves(chart, drawing);
    case "histogram":
      return histogram(chart, drawing);
    case "scatter":
      return scatter(chart, figure, drawing);
    case "points":
      return points(chart, drawing);
  }
}

interface CurvePoint {
  readonly model: string;
  readonly x: number;
  readonly y: number;
  readonly low: number | undefined;
  readonly high: number | undefined;
  readonly name: string | undefined;
}

/** Pixels between the intervals of two models at the same x, and of all models at most. */
const BAR_DISTANCE = 5;
const ALL_BARS = 25;

function curves(chart: CurvesChart, drawing: Drawing): Marks {
  const { models, isShown } = drawing;
  const shown = chart.curves.filter(({ model }) => isShown(model));
  const distance = chart.sharedX ? Math.min(BAR_DISTANCE, ALL_BARS / shown.length) : 0;
  return {
    marks: [
      ...reference(chart.reference),
      ...shown.flatMap((curve, i) =>
        curveMarks(curve, {
          stroke: colourOf(curve.model, models),
          areBars: chart.points,
          dx: distance * (i - (shown.length - 1) / 2),
        }),
      ),
      ...pointerTip(
        drawing,
        shown.flatMap(curvePoints),
        ({ model, name, x, y, low, high }) =>
          `${model}\n${name === undefined ? `${x}: ` : `${name}, rank ${x}: `}${shownNumber(y)}${intervalText(low, high)}`,
      ),
    ],
  };
}

type Curve = CurvesChart["curves"][number];

const curvePoints = ({ model, x, y, low, high, names }: Curve): CurvePoint[] =>
  x.map((place, i) => ({
    model,
    x: place,
    y: y[i] ?? Number.NaN,
    low: low?.[i],
    high: high?.[i],
    name: names?.[i],
  }));

/** A curve with its band or bars; a dot at every point, or at one of them. */
function curveMarks(
  curve: Curve,
  {
    stroke,
    areBars,
    dx,
  }: { readonly stroke: string; readonly areBars: CurvesChart["points"]; readonly dx: number },
): Plot.Markish[] {
  const { low, dashed, dot } = curve;
  const points = curvePoints(curve);
  const xy = { x: "x", y: "y" } as const;
  const band = { x: "x", y1: "low", y2: "high" } as const;
  const line = dashed ? { strokeWidth: 1.25, strokeDasharray: "5 3" } : { strokeWidth: 1.75 };
  const marks: Plot.Markish[] = [];
  if (low !== undefined && areBars) marks.push(Plot.ruleX(points, { ...band, stroke, dx }));
  else if (low !== undefined) marks.push(Plot.areaY(points, { ...band, fill: stroke, fillOpacity: 0.13 }));
  marks.push(Plot.lineY(points, { ...xy, stroke, dx, ...line }));
  if (areBars) marks.push(Plot.dot(points, { ...xy, fill: stroke, r: 3, dx }));
  if (dot !== undefined) marks.push(Plot.dot(points.slice(dot, dot + 1), { ...xy, fill: stroke, r: 4 }));
  return marks;
}

/** ` [0.71, 0.74]`; empty without an interval. */
const intervalText = (low: number | undefined, high: number | undefined) =>
  low === undefined || high === undefined ? "" : ` [${shownNumber(low)}, ${shownNumber(high)}]`;

type PointMark = PointsChart["points"][number];

function points({ points: all, classes, ofModels, identity, level }: PointsChart, drawing: Drawing): Marks {
  const { models, isShown } = drawing;
  const shown = ofModels ? all.filter((point) => isShown(point.of)) : all;
  const colour = (point: PointMark) => (ofModels ? colourOf(point.of, models) : colourOf(point.of, classes));
  const bounded = shown.filter(({ low }) => low !== undefined);
  return {
    marks: [
      ...(level === undefined ? [] : reference(level)),
      ...(identity ? reference("identity") : []),
      Plot.ruleX(bounded, { x: "x", y1: "low", y2: "high", stroke: colour, strokeWidth: 1.5 }),
      Plot.dot(shown, {
        x: "x",
        y: "y",
        r: ofModels ? 5 : 2.6,
        fill: colour,
        fillOpacity: ofModels ? 1 : 0.65,
      }),
      ...(ofModels ? pointLabels(shown) : []),
      ...pointerTip(
        drawing,
        shown,
        ({ name, of, x, y, low, high }) =>
          `${name ?? of}\n${shownNumber(x)}, ${shownNumber(y)}${intervalText(low, high)}`,
      ),
    ],
  };
}

/** Names of points: on the right of those in the left half, on the left of the others. */
function pointLabels(points: readonly PointMark[]): Plot.Markish[] {
  return [false, true].flatMap((isLeft) => {
    const side = points.filter((point) => isLeft === isRight(point, points));
    const shifts = labelShifts(side, points);
    return [...new Set(shifts.values())].map((dy) =>
      Plot.text(
        side.filter((point) => shifts.get(point) === dy),
        {
          x: "x",
          y: "y",
          text: "name",
          textAnchor: isLeft ? "end" : "start",
          dx: isLeft ? -9 : 9,
          dy,
          fill: "var(--ink)",
          stroke: "var(--sheet)",
          strokeWidth: 3,
        },
      ),
    );
  });
}

/**
 * True for points in the right half of a logarithmic axis from 10^i to 10^k, whose labels are on their left.
 */
function isRight(point: PointMark, all: readonly PointMark[]): boolean {
  const logs = all.map(({ x }) => Math.log10(x));
  const [first, last] = [Math.floor(Math.min(...logs)), Math.ceil(Math.max(...logs))];
  return Math.log10(point.x) - first > 0.5 * (last - first);
}

/** Part of the axis below which the labels of two points overlap. */
const LABEL = 0.09;

/** Vertical shifts in pixels that separate the labels of two points of almost equal height. */
function labelShifts(side: readonly PointMark[], all: readonly PointMark[]): ReadonlyMap<PointMark, number> {
  const ends = all.flatMap(({ y, low = y, high = y }) => [low, high]);
  const near = LABEL * (Math.max(...ends) - Math.min(...ends));
  const shifts = new Map<PointMark, number>();
  let above: PointMark | undefined;
  for (const point of side.toSorted((a, b) => b.y - a.y)) {
    const overlaps = above !== undefined && above.y - point.y < near && shifts.get(above) === 0;
    if (overlaps && above !== undefined) shifts.set(above, -7);
    shifts.set(point, overlaps ? 7 : 0);
    above = point;
  }
  return shifts;
}

/** Lines of the key below a figure: models of curves, or classes of points; empty for one or very many. */
export function keyOf(
  figure: FileFigure | Figure,
  models: readonly string[],
): readonly { readonly name: string; readonly colour: string }[] {
  const names = new Map<string, string>();
  for (const chart of figure.charts) {
    if (chart.kind === "curves") {
      // A chart of one model has its name above it.
      if (chart.curves.every(({ model }) => model === chart.title)) continue;
      for (const { model } of chart.curves) names.set(model, colourOf(model, models));
    } else if (chart.kind === "points" && !chart.ofModels) {
      for (const one of chart.classes) names.set(one, colourOf(one, chart.classes));
    }
  }
  if (names.size < 2 || names.size > MANY) return [];
  return [...names].map(([name, colour]) => ({ name, colour }));
}
