import "./page.css";
import type { Figure, PageData } from "../figure-data.ts";
import { colourOf, drawChart, modelsIn } from "./charts.ts";
import { routeViews } from "./routes.ts";
import { makeSortable } from "./sortable.ts";

for (const table of document.querySelectorAll<HTMLTableElement>("table:not(.map, .pairs)"))
  makeSortable(table);

const embedded = document.getElementById("page-data");
if (embedded?.textContent) {
  const { models, figures } = JSON.parse(embedded.textContent) as PageData;
  for (const figure of figures) drawFigure(figure, models);
}
routeViews();

/** Draws the charts of a figure and a key of its models. */
function drawFigure(figure: Figure, models: readonly string[]): void {
  figure.charts.forEach((chart, i) => {
    drawInto(`${figure.id}-${i}`, (width) =>
      drawChart(chart, figure, { width, models, isShown: () => true }),
    );
  });
  const names = modelsIn(figure);
  if (names.length === 0) return;
  const key = document.createElement("ul");
  key.className = "key";
  for (const name of names) {
    const item = document.createElement("li");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    line.setAttribute("class", "swatch");
    line.setAttribute("aria-hidden", "true");
    const stroke = document.createElementNS("http://www.w3.org/2000/svg", "path");
    stroke.setAttribute("d", "M2 7H24");
    stroke.setAttribute("stroke", colourOf(name, models));
    stroke.setAttribute("stroke-width", "3");
    line.append(stroke);
    item.append(line, name);
    key.append(item);
  }
  document.getElementById(figure.id)?.querySelector("figcaption")?.before(key);
}

/**
 * Draws a chart into its container when it becomes visible, and redraws it when its width changes, so that
 * the font size stays the same.
 */
function drawInto(id: string, draw: (width: number) => Element): void {
  const container = document.getElementById(id);
  if (container === null) throw new Error(`the page has no element ${id} for a chart`);
  let drawn = 0;
  const redraw = () => {
    const width = Math.floor(container.clientWidth);
    if (width === drawn || width === 0) return;
    drawn = width;
    container.replaceChildren(draw(width));
  };
  new ResizeObserver(redraw).observe(container);
}
