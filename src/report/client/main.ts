import "./page.css";
import type { PageData } from "../figure-data.ts";
import { drawFigures } from "./figures.ts";
import { RowExplorer } from "./row-explorer.ts";
import { makeSortable } from "./sortable.ts";

/** Keys of the page and their actions, for the list of keys. */
const KEYS: readonly (readonly [key: string, action: string])[] = [
  ["/", "filter models"],
  ["j", "next view; next row in the table of rows, as ↓"],
  ["k", "previous view; previous row in the table of rows, as ↑"],
  ["?", "this list"],
  ["Esc", "close this list"],
];

for (const table of document.querySelectorAll<HTMLTableElement>("table:not(.map, .pairs)"))
  makeSortable(table);

const embedded = document.getElementById("page-data");
if (embedded?.textContent) {
  const { models, figures, rowSets }: PageData = JSON.parse(embedded.textContent);
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

/** The models that the page shows. */
interface ModelFilter {
  readonly isShown: (model: string) => boolean;
  /** Calls a function whenever the filter changes. */
  onChange(changed: () => void): void;
}

/**
 * Adds an input to the controls that hides rows, keys and charts of models whose names contain none of its
 * words.
 */
function filterModels(models: readonly string[]): ModelFilter {
  let words: readonly string[] = [];
  const changed: (() => void)[] = [];
  // Names of no model are classes or metrics, which are always shown.
  const isShown = (model: string) =>
    words.length === 0 || !models.includes(model) || words.some((word) => model.toLowerCase().includes(word));
  const label = document.createElement("label");
  label.className = "model-filter";
  label.textContent = "Models";
  const input = document.createElement("input");
  input.type = "search";
  input.id = "model-filter";
  input.placeholder = "filter by name";
  input.addEventListener("input", () => {
    words = input.value
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== "");
    for (const one of document.querySelectorAll<HTMLElement>("[data-model]")) {
      one.classList.toggle("filtered-out", !isShown(one.dataset.model ?? ""));
    }
    for (const call of changed) call();
  });
  label.append(input);
  document.querySelector(".controls")?.prepend(label);
  return { isShown, onChange: (call) => changed.push(call) };
}

/**
 * Shows one view at a time, by the fragment of the address: that of the element with this id, the first view
 * without one. Without this function all views follow one another.
 *
 * @param shown  called with the fragment whenever it changes
 */
function routeViews(shown: (id: string) => void): void {
  const views = [...document.querySelectorAll<HTMLElement>("main > .view")];
  const links = [...document.querySelectorAll<HTMLAnchorElement>(".contents a")];
  document.documentElement.classList.add("routed");

  const show = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id === "" ? null : document.getElementById(id);
    if (target?.id === "main") return;
    const view = target?.closest<HTMLElement>("main > .view") ?? views[0];
    if (view === undefined) return;
    for (const one of views) one.classList.toggle("current", one === view);
    for (const link of links) {
      const of = document.getElementById(link.hash.slice(1))?.closest("main > .view");
      link.closest(".contents > li")?.classList.toggle("current", of === view);
    }
    for (let fold = target?.closest("details"); fold != null; fold = fold.parentElement?.closest("details")) {
      fold.open = true;
    }
    if (target === null || target === view) window.scrollTo(0, 0);
    else target.scrollIntoView();
    mark();
    shown(id);
  };

  /** Marks the link to the last heading above the top of the window. */
  const mark = () => {
    let current: HTMLAnchorElement | undefined;
    for (const link of links) {
      const target = document.getElementById(link.hash.slice(1));
      if (target === null || target.offsetParent === null) continue;
      if (target.getBoundingClientRect().top < 120 || current === undefined) current = link;
    }
    for (const link of links) {
      if (link === current) link.setAttribute("aria-current", "location");
      else link.removeAttribute("aria-current");
    }
  };

  addEventListener("hashchange", show);
  addEventListener("scroll", mark, { passive: true });
  show();
}

/** Handles the keys of the page. Arrows scroll unless a table of rows has the focus. */
function handleKeys(): void {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", "Keyboard");
  const list = document.createElement("dl");
  list.className = "facts-list";
  for (const [key, action] of KEYS) {
    const term = document.createElement("dt");
    const name = document.createElement("kbd");
    name.textContent = key;
    term.append(name);
    const description = document.createElement("dd");
    description.textContent = action;
    list.append(term, description);
  }
  dialog.append(list);
  document.body.append(dialog);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "help";
  button.textContent = "Keyboard: ?";
  button.addEventListener("click", () => dialog.showModal());
  document.querySelector(".controls")?.append(button);

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { target } = event;
    if (target instanceof HTMLElement && target.matches("input:not([type=radio]), select, textarea")) return;
    if (event.key === "/") document.getElementById("model-filter")?.focus();
    else if (event.key === "?") dialog.showModal();
    else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else return;
    event.preventDefault();
  });
}

/** Follows the link to the next or the previous view. */
function step(by: number): void {
  const links = [...document.querySelectorAll<HTMLAnchorElement>(".contents > li > a")];
  const current = links.findIndex((link) => link.parentElement?.classList.contains("current"));
  links[current + by]?.click();
}
