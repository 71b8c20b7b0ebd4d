import { parseShownNumber } from "./numbers.ts";
import { cellText, type Table, type TableCell } from "./table.ts";

/** Text that is already HTML. Use `html` to create it, so that text is not left unescaped by mistake. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

type Part = string | number | Html | undefined | readonly Part[];

/**
 * HTML from a template. Values are escaped unless they are `Html`; lists are joined, `undefined` gives
 * nothing.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.reduce((text, string, i) => text + render(parts[i - 1]) + string));
}

function render(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Html) return part.toString();
  if (typeof part === "object") return part.map(render).join("");
  return escapeHtml(String(part));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => ENTITIES[letter]);
}

/** An attribute with a leading space; nothing without a value. */
export const attribute = (name: string, value: string | undefined): Html | undefined =>
  value === undefined ? undefined : html` ${name}="${value}"`;

/**
 * JSON for use inside a `<script>` element, with `<`, `>`, `&` and the line separators U+2028 and U+2029
 * escaped, so that it contains no end tag or comment.
 */
export function embeddedJson(value: unknown): Html {
  const asUnicode = (letter: string) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return new Html(JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, asUnicode));
}

/** Length in characters above which a heading is wider than its column's numbers. */
const LONG = 30;

/**
 * HTML of a table in a container that scrolls on narrow pages.
 * @param heading  heading above the table; a caption of the same text is for screen readers only
 */
export function htmlTable({ caption, columns, rows, heat, notes = [] }: Table, heading?: string): Html {
  const kind = (c: number) => (columns[c].align === "right" ? "number" : "word");
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0">
<table>
<caption${attribute("class", caption === heading ? "visually-hidden" : undefined)}>${caption}</caption>
<thead><tr>${columns.map(({ heading }, c) => html`<th scope="col" class="${kind(c)}${heading.length > LONG ? " long" : ""}">${withArrow(heading)}</th>`)}</tr></thead>
<tbody>
${rows.map(
  (row) =>
    html`<tr>${row.map((cell, c) =>
      c === 0
        ? html`<th scope="row">${content(cell)}</th>`
        : html`<td class="${kind(c)}"${heat ? heatOf(row, c) : undefined}>${content(cell)}</td>`,
    )}</tr>\n`,
)}</tbody>
</table>
</div>
${notes.length === 0 ? undefined : html`<ul class="notes">${notes.map((note) => html`<li>${note}</li>`)}</ul>`}`;
}

/** Colour of a number by its share of the line. */
function heatOf(row: readonly TableCell[], c: number): Html | undefined {
  const numbers = row.map((cell) => parseShownNumber(cellText(cell)) ?? 0);
  const total = numbers.slice(1).reduce((sum, one) => sum + one, 0);
  return total === 0 ? undefined : html` style="--heat:${((100 * numbers[c]) / total).toFixed(0)}%"`;
}

/** Replaces the space before an arrow by a no-break space. */
const withArrow = (heading: string) => heading.replace(/ (?=[↑↓]$)/, "\u00a0");

function content(cell: TableCell): Html {
  if (typeof cell === "string" || cell.detail === "") return html`${cellText(cell)}`;
  return html`${cell.text} <span class="detail">${cell.detail}</span>`;
}
