import "./page.css";
import type { PageData } from "../figure-data.ts";
import { drawFigures } from "./figures.ts";
import { handleKeys } from "./keys.ts";
import { filterModels } from "./model-filter.ts";
import { routeViews } from "./routes.ts";
import { RowExplorer } from "./row-explorer.ts";
import { makeSortable } from "./sortable.ts";

for (const table of document.querySelectorAll<HTMLTableElement>("table:not(.map, .pairs)"))
  makeSortable(table);

const embedded = document.getElementById("page-data");
if (embedded?.textContent) {
  const { models, figures, rowSets } = JSON.parse(embedded.textContent) as PageData;
  const filter = filterModels(models);
  const redraw = drawFigures(figures, models, filter.isShown);
  const place = document.getElementById("explorer");
  const explorer = place === null ? undefined : new RowExplorer(place, filter.isShown);
  filter.onChange(() => {
    redraw();
    explorer?.draw();
  });
  routeViews((id) => {
    const set = rowSets.find((one) => one.id === id) ?? (id === "rows" ? rowSets[0] : undefined);
    if (set === undefined) return;
    void explorer?.show(set);
  });
  handleKeys();
}
