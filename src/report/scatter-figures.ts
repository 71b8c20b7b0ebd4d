import type { RowFigure, ScatterFigure } from "../evaluation/tasks/row-view.ts";
import { pearson, spearman } from "../metrics/correlation.ts";
import { percentiles } from "../metrics/quantiles.ts";
import type { PanelFigure, ScatterChart } from "./figure-data.ts";
import { fixed, UNDEFINED } from "./numbers.ts";
import type { Entry } from "./panels.ts";

/** A model with its figure of one kind. */
export interface Shown<F extends RowFigure> {
  readonly entry: Entry;
  readonly figure: F;
}

/** Four significant digits, to keep the page small. */
export const short = (value: number): number => Number(value.toPrecision(4));

/** Number of rows above which a scatter plot shows numbers of rows in rectangles. */
const MANY = 2000;
/** Rectangles along each axis. */
const BINS = 48;

/** Scatter plots of one number per row over another, one chart per model on common axes. */
export function scatterFigures(
  id: (name: string) => string,
  shown: readonly Shown<ScatterFigure>[],
): PanelFigure[] {
  const titles = [...new Set(shown.map(({ figure }) => figure.title))];
  return titles.map((title, t): PanelFigure => {
    const some = shown.filter(({ figure }) => figure.title === title);
    const points = some.map(({ figure }) => pointsOf(figure));
    const all = points.flat();
    const [first] = some.map(({ figure }) => figure);
    const isSigns = first.reference === "signs";
    const [x, y] = domainsOf(all, isSigns);
    const sentences = [
      ...(first.note === undefined ? [] : [first.note]),
      isSigns
        ? "Shaded quadrants: score and effect have the same sign. Axes are cut at the central 99.5 % of the values. r: Pearson correlation."
        : "Diagonal: predicted equals observed. Spearman ρ: of these rows.",
      ...(all.length > MANY * some.length ? ["Darker: more rows."] : []),
    ];
    return {
      id: id(titles.length === 1 ? "scatter" : `scatter-${t}`),
      title,
      caption: sentences.join(" "),
      x: { label: first.x.title, domain: x },
      y: { label: first.y.title, domain: y },
      charts: some.map(({ entry, figure }, i) => scatterChart(entry, figure, points[i], x, y)),
    };
  });
}

type Point = readonly [x: number, y: number];

function pointsOf({ x, y }: ScatterFigure): readonly Point[] {
  const points: Point[] = [];
  for (let i = 0; i < x.values.length; i++) {
    const point = [x.values[i], y.values[i]] as const;
    if (point.every(Number.isFinite)) points.push(point);
  }
  return points;
}

/**
 * Domains of both axes; the same for predictions of a number, so that their diagonal is that of the chart.
 */
function domainsOf(points: readonly Point[], isSigns: boolean) {
  const [x, y] = [points.map(([one]) => one), points.map(([, one]) => one)];
  if (isSigns) return [domainOf(x, true), domainOf(y, true)] as const;
  const both = domainOf([...x, ...y], false);
  return [both, both] as const;
}

/** Range of the central 99.5 % of the values, symmetrical around 0 for signed ones. */
function domainOf(values: readonly number[], isSigned: boolean): readonly [number, number] {
  if (values.length === 0) return [-1, 1];
  const [low = 0, high = 0] = percentiles(values, [0.25, 99.75]);
  const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
  const margin = 0.04 * (high - low || 1);
  return isSigned ? [short(-1.05 * most), short(1.05 * most)] : [short(low - margin), short(high + margin)];
}

function scatterChart(
  { label }: Entry,
  { reference }: ScatterFigure,
  points: readonly Point[],
  x: readonly [number, number],
  y: readonly [number, number],
): ScatterChart {
  const [all, many] = [points.map(([a]) => a), points.length > MANY];
  const others = points.map(([, b]) => b);
  return {
    kind: "scatter",
    title: label,
    points: many ? [] : points.map(([a, b]) => [short(clamp(a, x)), short(clamp(b, y))] as const),
    rectangles: many ? rectanglesOf(points, x, y) : [],
    reference,
    note:
      reference === "identity"
        ? `Spearman ρ ${fixed(spearman(all, others).r)}`
        : `${sameSign(points)}, r ${fixed(pearson(all, others).r)}`,
  };
}

/** Share of the rows whose numbers have the same sign, of those without a zero: `69 % same sign`. */
function sameSign(points: readonly Point[]): string {
  const signed = points.filter(([a, b]) => a !== 0 && b !== 0);
  const share = signed.filter(([a, b]) => a > 0 === b > 0).length / signed.length;
  return `${Number.isFinite(share) ? (100 * share).toFixed(0) : UNDEFINED} % same sign`;
}

const clamp = (value: number, [low, high]: readonly [number, number]) => Math.min(high, Math.max(low, value));

function rectanglesOf(points: readonly Point[], x: Point, y: Point): ScatterChart["rectangles"] {
  const counts = new Map<number, number>();
  const bin = (value: number, domain: Point) =>
    Math.min(BINS - 1, Math.floor((BINS * (clamp(value, domain) - domain[0])) / (domain[1] - domain[0])));
  for (const [a, b] of points) {
    const key = bin(a, x) * BINS + bin(b, y);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const edge = (at: number, domain: Point) => short(domain[0] + (at * (domain[1] - domain[0])) / BINS);
  return [...counts].map(([key, rows]) => {
    const [i, j] = [Math.floor(key / BINS), key % BINS];
    return [edge(i, x), edge(i + 1, x), edge(j, y), edge(j + 1, y), rows] as const;
  });
}
