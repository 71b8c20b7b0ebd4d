import type { RowSet, TrackedRow } from "../row-format.ts";
import {
  fieldText,
  filterRows,
  locusOf,
  meritOf,
  type OpenRowSet,
  openRowSet,
  sortKeys,
  sortRows,
  tsvOf,
} from "../row-query.ts";
import { baseTracks } from "./base-tracks.ts";
import { element, filterForm, rowFilterOf } from "./row-filter-form.ts";

/** Height of a row in CSS pixels; the style sheet sets it. */
const ROW = 28;
/** Rows drawn above and below the visible ones. */
const SPARE = 12;
/** Rows that one copy takes at most. */
const COPIED = 250_000;

/** Table of the rows of one set at a time, with filters. `isShown` leaves out the columns of models. */
export class RowExplorer {
  readonly #place: HTMLElement;
  readonly #isShown: (model: string) => boolean;
  #rows: OpenRowSet | undefined;
  #kept: Uint32Array = new Uint32Array(0);
  #order: { readonly column: number; readonly descending: boolean; readonly byMerit: boolean } | undefined;
  #selected = -1;
  #body: HTMLTableSectionElement | undefined;
  #scroll: HTMLElement | undefined;
  #count: HTMLElement | undefined;
  /** Place of the bases of one row, below the table. */
  #bases: HTMLElement | undefined;
  #tracks: ReadonlyMap<number, TrackedRow> = new Map();

  constructor(place: HTMLElement, isShown: (model: string) => boolean) {
    this.#place = place;
    this.#isShown = isShown;
  }

  /** Shows the rows of a set, unfiltered. */
  async show(set: RowSet): Promise<void> {
    if (this.#rows?.set === set) return;
    const [bytes, tracks] = await Promise.all([unpacked(`${set.id}-data`), tracksOf(set)]);
    this.#tracks = tracks;
    this.#rows = openRowSet(set, bytes);
    this.#order = undefined;
    this.draw();
  }

  /** Draws controls and table anew, such as for other models. */
  draw(): void {
    const rows = this.#rows;
    if (rows === undefined) return;
    const form = filterForm(rows.set);
    form.addEventListener("input", () => this.#apply(form));
    form.addEventListener("submit", (event) => event.preventDefault());
    const scroll = element("div", { className: "rows-scroll", tabIndex: 0 });
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", `Rows: ${rows.set.title}`);
    const table = element("table", { className: "rows" });
    table.setAttribute("aria-rowcount", String(rows.set.rows + 1));
    table.append(this.#head(form), element("tbody", {}));
    scroll.append(table);
    scroll.addEventListener("scroll", () => this.#fill(), { passive: true });
    scroll.addEventListener("keydown", (event) => this.#key(event));
    const count = element("p", { className: "quiet" });
    count.setAttribute("aria-live", "polite");
    this.#scroll = scroll;
    this.#body = table.tBodies[0];
    this.#count = count;
    const title = element("h2", { textContent: rows.set.title });
    this.#bases = element("section", { className: "bases", hidden: true, tabIndex: -1 });
    this.#place.replaceChildren(title, form, this.#actions(form), count, scroll, this.#bases);
    this.#apply(form);
  }

  /** Columns that the table shows: position as one, then facts, then scores of the shown models. */
  #columns(): readonly number[] {
    const { columns, hasLoci } = this.#rows?.set ?? { columns: [], hasLoci: false };
    return columns.flatMap((column, c) => {
      const isPosition = hasLoci && (c === 1 || c === 2 || c === 3);
      const isHidden = column.kind === "number" && column.model !== undefined && !this.#isShown(column.model);
      return c === 0 || isPosition || isHidden ? [] : [c];
    });
  }

  #head(form: HTMLFormElement): HTMLTableSectionElement {
    const head = document.createElement("thead");
    const line = head.insertRow();
    const { columns = [], hasLoci } = this.#rows?.set ?? {};
    const heading = (title: string, column: number, isNumber: boolean) => {
      const cell = element("th", { scope: "col", className: isNumber ? "number" : "word" });
      const button = element("button", { type: "button", textContent: title });
      button.addEventListener("click", () => {
        const same = this.#order?.column === column && !this.#order.byMerit;
        const descending = same ? this.#order?.descending === false : isNumber;
        this.#sort({ column, descending, byMerit: false }, form);
      });
      cell.dataset.column = String(column);
      cell.append(button);
      line.append(cell);
    };
    heading("row", 0, true);
    if (hasLoci) heading("locus", 1, false);
    for (const c of this.#columns()) heading(columns[c]?.title ?? "", c, columns[c]?.kind !== "text");
    return head;
  }

  /** Buttons for the best and worst rows of a model, and for a copy. */
  #actions(form: HTMLFormElement): HTMLElement {
    const bar = element("div", { className: "row-actions" });
    const { columns = [], merit } = this.#rows?.set ?? {};
    const models = columns.flatMap((column, c) =>
      column.kind === "number" && column.model !== undefined && this.#isShown(column.model)
        ? [{ c, model: column.model }]
        : [],
    );
    if (merit !== undefined && models.length > 0) {
      const select = element("select", {});
      for (const { c, model } of models) select.append(new Option(model, String(c)));
      const label = element("label", { textContent: "Model " });
      label.append(select);
      bar.append(label);
      for (const [title, descending] of [
        ["Best rows", true],
        ["Worst rows", false],
      ] as const) {
        const button = element("button", { type: "button", textContent: title });
        button.addEventListener("click", () =>
          this.#sort({ column: Number(select.value), descending, byMerit: true }, form),
        );
        bar.append(button);
      }
    }
    const copy = element("button", { type: "button", textContent: "Copy as TSV" });
    copy.addEventListener("click", () => void this.#copy(copy));
    bar.append(copy);
    return bar;
  }

  async #copy(button: HTMLButtonElement): Promise<void> {
    if (this.#rows === undefined) return;
    const kept = this.#kept.subarray(0, COPIED);
    try {
      await navigator.clipboard.writeText(tsvOf(this.#rows, kept));
      button.textContent = `Copied ${kept.length.toLocaleString("en-US")} rows`;
    } catch (error) {
      // Browsers refuse pages without permission for the clipboard.
      button.textContent = `Not copied: ${error instanceof Error ? error.message : "refused"}`;
    }
  }

  #sort(order: { column: number; descending: boolean; byMerit: boolean }, form: HTMLFormElement): void {
    this.#order = order;
    this.#apply(form);
  }

  /** Filters and sorts the rows. */
  #apply(form: HTMLFormElement): void {
    const rows = this.#rows;
    if (rows === undefined) return;
    // Read before the table changes, so that the browser computes the layout once.
    const height = this.#scroll?.clientHeight ?? 0;
    let kept = filterRows(rows, rowFilterOf(rows.set, new FormData(form)));
    this.#markSorted();
    const order = this.#order;
    if (order !== undefined) {
      const keys = order.byMerit ? meritOf(rows, order.column) : sortKeys(rows, order.column);
      if (keys !== undefined) kept = sortRows(kept, keys, order.descending);
    }
    this.#kept = kept;
    this.#selected = -1;
    if (this.#count) {
      this.#count.textContent = `${kept.length.toLocaleString("en-US")} of ${rows.set.rows.toLocaleString("en-US")} rows. Scores: ${rows.set.score}.${this.#tracks.size === 0 ? "" : " Underlined row numbers open the scores of their bases."}`;
    }
    this.#fill(0, height);
    if (this.#scroll) this.#scroll.scrollTop = 0;
  }

  /** Marks the heading of the column by which rows are sorted. */
  #markSorted(): void {
    const order = this.#order;
    for (const cell of this.#body?.parentElement?.querySelectorAll<HTMLElement>("thead th") ?? []) {
      if (order !== undefined && !order.byMerit && cell.dataset.column === String(order.column)) {
        cell.setAttribute("aria-sort", order.descending ? "descending" : "ascending");
      } else cell.removeAttribute("aria-sort");
    }
  }

  /** Draws the rows that are visible, between two empty rows of the height of the others. */
  #fill(top = this.#scroll?.scrollTop ?? 0, height = this.#scroll?.clientHeight ?? 0): void {
    const [rows, body] = [this.#rows, this.#body];
    if (rows === undefined || body === undefined) return;
    const first = Math.max(0, Math.floor(top / ROW) - SPARE);
    const last = Math.min(this.#kept.length, Math.ceil((top + height) / ROW) + SPARE);
    const columns = this.#columns();
    const lines: HTMLElement[] = [];
    for (let place = first; place < last; place++) lines.push(this.#line(rows, columns, place));
    body.replaceChildren(gap(first), ...lines, gap(this.#kept.length - last));
  }

  #line(rows: OpenRowSet, columns: readonly number[], place: number): HTMLTableRowElement {
    const row = this.#kept[place] ?? 0;
    const line = document.createElement("tr");
    line.setAttribute("aria-rowindex", String(place + 2));
    if (place === this.#selected) line.className = "selected";
    const number = line.insertCell();
    number.className = "number";
    number.append(this.#rowNumber(rows, row));
    const locus = locusOf(rows, row);
    if (locus !== undefined) line.insertCell().append(...locusCell(locus, rows.set.assembly));
    for (const c of columns) {
      const cell = line.insertCell();
      if (rows.set.columns[c]?.kind !== "text") cell.className = "number";
      cell.textContent = fieldText(rows, c, row);
    }
    return line;
  }

  /** Number of a row: a button where its bases are scored. */
  #rowNumber(rows: OpenRowSet, row: number): Node {
    const text = fieldText(rows, 0, row);
    if (!this.#tracks.has(Number(text))) return document.createTextNode(text);
    const button = element("button", { type: "button", textContent: text, title: "Show its bases" });
    button.setAttribute("aria-label", `Row ${text}: show its bases`);
    button.addEventListener("click", () => this.#showBases(rows, row));
    return button;
  }

  /** Shows the bases of a row below the table. */
  #showBases(rows: OpenRowSet, row: number): void {
    const [place, number] = [this.#bases, Number(fieldText(rows, 0, row))];
    const tracked = this.#tracks.get(number);
    if (place === undefined || tracked === undefined) return;
    const locus = locusOf(rows, row);
    const at = locus === undefined ? "" : `, ${locusText(locus)}`;
    const title = element("h3", { textContent: `Bases of row ${number}${at}`, id: "bases-title" });
    const close = element("button", { type: "button", textContent: "Close" });
    close.addEventListener("click", () => {
      place.hidden = true;
      this.#scroll?.focus();
    });
    place.setAttribute("aria-labelledby", title.id);
    const note = element("p", {
      className: "quiet",
      textContent:
        "Letter height: log₂ of the base's probability under the model relative to ¼, in bits. Faint letters below the line have a probability below ¼. Positions count from 1 in the sequence that the model sees. Bases in which the sequences differ are marked if they are few. Only models for which this is one of the best or worst rows are drawn.",
    });
    place.replaceChildren(title, close, note, ...baseTracks(tracked, this.#isShown));
    place.hidden = false;
    place.scrollIntoView({ block: "nearest" });
    place.focus({ preventScroll: true });
  }

  /** Moves the selected row by j and k or the arrows; Enter shows its bases. */
  #key(event: KeyboardEvent): void {
    const [rows, chosen] = [this.#rows, this.#kept[this.#selected]];
    if (
      event.key === "Enter" &&
      event.target === this.#scroll &&
      rows !== undefined &&
      chosen !== undefined
    ) {
      this.#showBases(rows, chosen);
      return;
    }
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    if (step === undefined || this.#scroll === undefined || this.#kept.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    this.#selected = Math.min(this.#kept.length - 1, Math.max(0, this.#selected + step));
    const top = this.#selected * ROW;
    const { scrollTop, clientHeight } = this.#scroll;
    if (top < scrollTop) this.#scroll.scrollTop = top;
    else if (top + 3 * ROW > scrollTop + clientHeight) this.#scroll.scrollTop = top + 3 * ROW - clientHeight;
    this.#fill();
  }
}

/** Compressed bytes of an element of the page, unpacked; none without the element. */
async function unpacked(id: string): Promise<Uint8Array<ArrayBuffer>> {
  const text = document.getElementById(id)?.textContent ?? "";
  if (text === "") return new Uint8Array();
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Scores of bases by row number. */
async function tracksOf({ id, tracked }: RowSet): Promise<ReadonlyMap<number, TrackedRow>> {
  if (tracked === undefined) return new Map();
  const rows: TrackedRow[] = JSON.parse(new TextDecoder().decode(await unpacked(`${id}-tracks`)));
  return new Map(rows.map((one) => [one.row, one]));
}

function gap(rows: number): HTMLTableRowElement {
  const line = document.createElement("tr");
  line.setAttribute("aria-hidden", "true");
  line.className = "gap";
  line.insertCell().style.height = `${rows * ROW}px`;
  line.hidden = rows === 0;
  return line;
}

/** `chr1:1,001-2,000`, 1-based and inclusive. */
const locusText = ({ chromosome, start, end }: NonNullable<ReturnType<typeof locusOf>>) =>
  `${chromosome}:${(start + 1).toLocaleString("en-US")}-${end.toLocaleString("en-US")}`;

function locusCell(
  { chromosome, start, end }: NonNullable<ReturnType<typeof locusOf>>,
  assembly: string | undefined,
) {
  const at = locusText({ chromosome, start, end });
  if (assembly === undefined || !/^(hg|mm)\d+$/.test(assembly)) return [at];
  const position = encodeURIComponent(`${chromosome}:${start + 1}-${end}`);
  const link = (text: string, href: string) => {
    const anchor = element("a", { href, textContent: text, rel: "noreferrer noopener", target: "_blank" });
    anchor.setAttribute("aria-label", `${at} in ${text}`);
    return anchor;
  };
  return [
    `${at} `,
    link("UCSC", `https://genome.ucsc.edu/cgi-bin/hgTracks?db=${assembly}&position=${position}`),
    " ",
    link("IGV", `https://igv.org/app/?genome=${assembly}&locus=${position}`),
  ];
}
