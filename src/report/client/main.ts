import "./page.css";
import type { PageData } from "../chart-data.ts";
import { drawAccuracies, drawDifferences, drawRanked } from "./charts.ts";
import { makeSortable } from "./sortable.ts";

for (const table of document.querySelectorAll("table")) makeSortable(table);

const embedded = document.getElementById("page-data");
if (embedded?.textContent) {
  const data = JSON.parse(embedded.textContent) as PageData;
  for (const chart of data.accuracies) drawInto(chart.container, (width) => drawAccuracies(chart, width));
  for (const chart of data.differences) drawInto(chart.container, (width) => drawDifferences(chart, width));
  for (const chart of data.ranked) drawInto(chart.container, (width) => drawRanked(chart, width));
}

/**
 * Draws a chart into its container, and redraws it when the width changes, so that the font size stays the
 * same.
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
  redraw();
  new ResizeObserver(redraw).observe(container);
}
