import * as Plot from "@observablehq/plot";
import type {
  Axis,
  Chart,
  CurvesChart,
  Figure,
  HistogramChart,
  PointsChart,
  ScatterChart,
} from "../figure-data.ts";

/** Number of colours of the style sheet, which are distinguishable with colour blindness. */
const COLOURS = 8;

/** Colour of a model or class by its place in the list of all. */
const colourOf = (name: string, all: readonly string[]): string =>
  `var(--series-${Math.max(0, all.indexOf(name)) % COLOURS})`;

/** Width and models of a chart. */
export interface Drawing {
  /** Width in CSS pixels. */
  readonly width: number;
  /** All models of the page, in the order of their colours. */
  readonly models: readonly string[];
  /** True for models that the filter shows. */
  readonly isShown: (model: string) => boolean;
}

const TIP = { fill: "var(--sheet)", stroke: "var(--line)" } as const;
const SOFT = "var(--ink-soft)";
/** Number of lines at which legends are left to the tooltips. */
const MANY = 12;

/** Draws one chart of a figure with the figure's axes. */
export function drawChart(chart: Chart, figure: Figure, drawing: Drawing): Element {
  const { width } = drawing;
  const height = Math.round(Math.min(340, Math.max(190, width * 0.72)));
  const drawn = marksOf(chart, figure, drawing);
  const plot = Plot.plot({
    width,
    height,
    marginLeft: 52,
    marginRight: 14,
    marginTop: 22,
    marginBottom: 40,
    className: "plot",
    ariaLabel: figure.charts.length > 1 ? `${figure.title}, ${chart.title}` : figure.title,
    x: { ...axisOf(figure.x), ticks: Math.max(3, Math.floor(width / 80)) },
    y: { ...axisOf(figure.y), grid: true, ticks: 5 },
    ...drawn.options,
    marks: drawn.marks,
  });
  const svg = plot.matches("svg") ? plot : plot.querySelector("svg:last-of-type");
  svg?.setAttribute("role", "img");
  // Groups have no role, so they may have no label.
  for (const group of plot.querySelectorAll("g[aria-label]")) group.removeAttribute("aria-label");
  return plot;
}

function axisOf({ label, domain, log }: Axis): Plot.ScaleOptions {
  return {
    label,
    labelAnchor: "center",
    labelArrow: "none",
    nice: domain === undefined,
    ...(domain === undefined ? {} : { domain: [...domain] }),
    ...(log ? { type: "log", tickFormat: "~s" } : {}),
  };
}

interface Marks {
  readonly marks: Plot.Markish[];
  readonly options?: Plot.PlotOptions;
}

function marksOf(chart: Chart, figure: Figure, drawing: Drawing): Marks {
  switch (chart.kind) {
    case "curves":
      return curves(chart, drawing);
    case "histogram":
      return histogram(chart);
    case "scatter":
      return scatter(chart, figure);
    case "points":
      return points(chart, drawing);
  }
}

function reference(at: CurvesChart["reference"]): Plot.Markish[] {
  if (at === undefined) return [];
  const style = { stroke: SOFT, strokeDasharray: "4 4" };
  return at === "identity"
    ? [
        Plot.line(
          [
            [0, 0],
            [1, 1],
          ],
          style,
        ),
      ]
    : [Plot.ruleY([at], style)];
}

interface CurvePoint {
  readonly model: string;
  readonly x: number;
  readonly y: number;
  readonly low: number | undefined;
  readonly high: number | undefined;
  readonly name: string | undefined;
}

function curves(
  { curves: all, reference: at, points: areBars }: CurvesChart,
  { models, isShown }: Drawing,
): Marks {
  const shown = all.filter(({ model }) => isShown(model));
  const rows = shown.map(({ model, x, y, low, high, names }) =>
    x.map(
      (place, i): CurvePoint => ({
        model,
        x: place,
        y: y[i] ?? Number.NaN,
        low: low?.[i],
        high: high?.[i],
        name: names?.[i],
      }),
    ),
  );
  const xy = { x: "x", y: "y" } as const;
  return {
    marks: [
      ...reference(at),
      ...shown.flatMap(({ model, low, dashed, dot }, i) => {
        const stroke = colourOf(model, models);
        const own = rows[i] ?? [];
        const band = { x: "x", y1: "low", y2: "high" } as const;
        return [
          ...(low === undefined
            ? []
            : [
                areBars
                  ? Plot.ruleX(own, { ...band, stroke })
                  : Plot.areaY(own, { ...band, fill: stroke, fillOpacity: 0.13 }),
              ]),
          Plot.lineY(own, {
            ...xy,
            stroke,
            strokeWidth: 1.75,
            ...(dashed ? { strokeDasharray: "5 3", strokeWidth: 1.25 } : {}),
          }),
          ...(areBars ? [Plot.dot(own, { ...xy, fill: stroke, r: 3 })] : []),
          ...(dot === undefined ? [] : [Plot.dot(own.slice(dot, dot + 1), { ...xy, fill: stroke, r: 4 })]),
        ];
      }),
      Plot.tip(
        rows.flat(),
        Plot.pointer({
          ...xy,
          title: ({ model, name, x, y, low, high }: CurvePoint) =>
            `${model}\n${name === undefined ? `${x}: ` : `${name}, rank ${x}: `}${shownNumber(y)}${low === undefined || high === undefined ? "" : ` [${shownNumber(low)}, ${shownNumber(high)}]`}`,
          ...TIP,
        }),
      ),
    ],
  };
}

const shownNumber = (value: number) => value.toPrecision(3).replace("-", "−");

function histogram({ bins, ties, median, sides }: HistogramChart): Marks {
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
        tip: TIP,
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
              tip: TIP,
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

function scatter({ points: some, rectangles, reference: at }: ScatterChart, { x, y }: Figure): Marks {
  const most = Math.max(1, ...rectangles.map(([, , , , rows]) => rows));
  const edge = ({ domain = [-1, 1] }: Axis, sign: number) => (sign > 0 ? domain[1] : domain[0]);
  const diagonal = [-1, 1].map((sign) => {
    const ends = [edge(x, sign), edge(y, sign)];
    const end = sign > 0 ? Math.min(...ends) : Math.max(...ends);
    return [end, end] as [number, number];
  });
  const corner = { frameAnchor: "top-left", dx: 6, dy: 6, fontSize: 12, fill: "var(--ink)" } as const;
  return {
    options: { clip: true },
    marks: [
      ...(at.kind === "signs"
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
            Plot.text([at.agreement], {
              ...corner,
              text: (share: number) => `${(100 * share).toFixed(0)} % same sign`,
            }),
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
        tip: TIP,
      }),
      Plot.dot(some, {
        x: (point: ScatterChart["points"][number]) => point[0],
        y: (point: ScatterChart["points"][number]) => point[1],
        r: 2.2,
        fill: "var(--accent)",
        fillOpacity: 0.45,
      }),
    ],
  };
}

type PointMark = PointsChart["points"][number];

function points(
  { points: all, classes, ofModels, identity, level }: PointsChart,
  { models, isShown }: Drawing,
): Marks {
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
      ...(ofModels
        ? [false, true].map((isLeft) =>
            Plot.text(
              shown.filter((point) => isLeft === isRight(point, shown)),
              {
                x: "x",
                y: "y",
                text: "name",
                textAnchor: isLeft ? "end" : "start",
                dx: isLeft ? -9 : 9,
                fill: "var(--ink)",
                stroke: "var(--sheet)",
                strokeWidth: 3,
              },
            ),
          )
        : []),
      Plot.tip(
        shown,
        Plot.pointer({
          x: "x",
          y: "y",
          title: ({ name, of, x, y, low, high }: PointMark) =>
            `${name ?? of}\n${shownNumber(x)}, ${shownNumber(y)}${low === undefined || high === undefined ? "" : ` [${shownNumber(low)}, ${shownNumber(high)}]`}`,
          ...TIP,
        }),
      ),
    ],
  };
}

/** True for points in the right half of a logarithmic axis, whose labels are on their left. */
function isRight(point: PointMark, all: readonly PointMark[]): boolean {
  const logs = all.map(({ x }) => Math.log(x));
  const [least, most] = [Math.min(...logs), Math.max(...logs)];
  return Math.log(point.x) - least > 0.5 * (most - least) && most > least;
}

/** Lines of the key below a figure: models of curves, or classes of points; empty for one or very many. */
export function keyOf(
  figure: Figure,
  models: readonly string[],
): readonly { readonly name: string; readonly colour: string }[] {
  const names = new Map<string, string>();
  for (const chart of figure.charts) {
    if (chart.kind === "curves")
      for (const { model } of chart.curves) names.set(model, colourOf(model, models));
    else if (chart.kind === "points" && !chart.ofModels) {
      for (const one of chart.classes) names.set(one, colourOf(one, chart.classes));
    }
  }
  if (names.size < 2 || names.size > MANY) return [];
  return [...names].map(([name, colour]) => ({ name, colour }));
}
