import "./page.css";
import type { PageData } from "../chart-data.ts";
import { drawAccuracies, drawDifferences, drawRanked } from "./charts.ts";
import { makeSortable } from "./sortable.ts";

for (const table of document.querySelectorAll("table")) makeSortable(table);

const embedded = document.getElementById("page-data");
if (embedded?.textContent) {
  const data = JSON.parse(embedded.textContent) as PageData;
  for (const chart of data.accuracies) keepDrawn(chart.holder, (width) => drawAccuracies(chart, width));
  for (const chart of data.differences) keepDrawn(chart.holder, (width) => drawDifferences(chart, width));
  for (const chart of data.ranked) keepDrawn(chart.holder, (width) => drawRanked(chart, width));
}

/** Fills a chart's holder, and again whenever its width changes, so that letters keep their size. */
function keepDrawn(id: string, draw: (width: number) => Element): void {
  const holder = document.getElementById(id);
  if (holder === null) throw new Error(`the page has no place ${id} for a chart`);
  let drawn = 0;
  const redraw = () => {
    const width = Math.floor(holder.clientWidth);
    if (width === drawn || width === 0) return;
    drawn = width;
    holder.replaceChildren(draw(width));
  };
  redraw();
  new ResizeObserver(redraw).observe(holder);
}
