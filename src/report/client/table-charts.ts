import * as Plot from "@observablehq/plot";
import type { FileFigure, ForestChart, HeatChart } from "../figure-data.ts";
import { axisOf, type Drawing, drawPlot, SOFT, textWidth } from "./plot.ts";

/** Height of a row of a forest plot or a heat map in pixels. */
const ROW = 26;
/** Height of the space below the rows, with the axis. */
const AXIS = 40;
/** Height of the space above a heat map, with the names of its columns on up to three lines. */
const HEADINGS = 48;
/** Greatest width of a column. */
const COLUMN = 160;
/** Font size in pixels. */
const EM = 12;

/** Width of the longest text of all charts of a figure, with a margin. */
const widest = (figure: FileFigure, textsOf: (chart: FileFigure["charts"][number]) => readonly string[]) =>
  16 + Math.max(0, ...figure.charts.flatMap((chart) => textsOf(chart).map(textWidth)));

/** Forest plot: a row per model with its value and interval; bold for the best. */
export function drawForest(
  { rows, chance, title }: ForestChart,
  figure: FileFigure,
  drawing: Drawing,
): Element {
  type Row = ForestChart["rows"][number];
  const names = rows.map(({ name }) => name);
  const published = rows.filter((row) => row.published !== undefined);
  const texts = (best: boolean) =>
    Plot.text(
      rows.filter((row) => (row.best ?? false) === best),
      {
        y: "name",
        text: "text",
        frameAnchor: "right",
        textAnchor: "start",
        dx: 10,
        fill: "var(--ink)",
        ...(best ? { fontWeight: "bold" } : {}),
      },
    );
  return drawPlot(drawing, {
    height: ROW * rows.length + AXIS + 8,
    marginLeft: widest(figure, (chart) =>
      chart.kind === "forest" ? chart.rows.map(({ name }) => name) : [],
    ),
    marginRight: widest(figure, (chart) =>
      chart.kind === "forest" ? chart.rows.map(({ text }) => text) : [],
    ),
    marginTop: 8,
    marginBottom: AXIS,
    ariaLabel: `${figure.title}, ${title}`,
    x: { ...axisOf(figure.x), grid: true, ticks: 6 },
    y: { type: "band", domain: names, label: null, tickSize: 0 },
    marks: [
      ...(chance === undefined ? [] : [Plot.ruleX([chance], { stroke: SOFT, strokeDasharray: "4 4" })]),
      Plot.ruleY(
        rows.filter(({ low }) => low !== undefined),
        { y: "name", x1: "low", x2: "high", stroke: "var(--accent)", strokeWidth: 2 },
      ),
      Plot.dot(published, {
        y: "name",
        x: "published",
        symbol: "diamond",
        r: 5,
        stroke: "var(--warm)",
        strokeWidth: 1.5,
      }),
      Plot.dot(rows, { y: "name", x: (row: Row) => row.value, r: 4, fill: "var(--accent)" }),
      texts(true),
      texts(false),
    ],
  });
}

/** Heat map: a coloured cell with its text per row and column. */
export function drawHeat(
  { rows, columns, cells, title }: HeatChart,
  figure: FileFigure,
  drawing: Drawing,
): Element {
  type Cell = HeatChart["cells"][number];
  const left = widest(figure, (chart) => (chart.kind === "heat" ? chart.rows : []));
  const across = Math.min(COLUMN, (drawing.width - left) / Math.max(1, columns.length));
  const texts = (best: boolean) =>
    Plot.text(
      cells.filter((cell) => (cell.best ?? false) === best),
      { x: "column", y: "row", text: "text", fill: "var(--ink)", ...(best ? { fontWeight: "bold" } : {}) },
    );
  return drawPlot(drawing, {
    height: HEADINGS + ROW * rows.length,
    marginLeft: left,
    marginRight: drawing.width - left - across * columns.length,
    marginTop: HEADINGS,
    marginBottom: 0,
    ariaLabel: figure.charts.length > 1 ? `${figure.title}, ${title}` : figure.title,
    x: { type: "band", domain: [...columns], padding: 0.02, label: null },
    y: { type: "band", domain: [...rows], padding: 0.06, label: null },
    marks: [
      Plot.axisX({ anchor: "top", tickSize: 0, lineWidth: across / EM, label: null }),
      Plot.axisY({ tickSize: 0, label: null }),
      Plot.cell(cells, {
        x: "column",
        y: "row",
        fill: "var(--accent)",
        fillOpacity: ({ share }: Cell) => 0.04 + 0.56 * share,
      }),
      texts(true),
      texts(false),
    ],
  });
}
