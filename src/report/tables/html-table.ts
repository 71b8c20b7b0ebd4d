import { type Html, html } from "../html.ts";
import { type Cell, cellText, type Table } from "./table.ts";

/** Letters above which a heading wants more room than its numbers give it. */
const LONG = 30;

/** A table with its caption, headings that name their scope, and a holder that scrolls where the page is narrow. */
export function htmlTable({ caption, columns, rows, notes = [] }: Table): Html {
  const kind = (c: number) => (columns[c]!.align === "right" ? "number" : "word");
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0">
<table>
<caption>${caption}</caption>
<thead><tr>${columns.map(({ heading }, c) => html`<th scope="col" class="${kind(c)}${heading.length > LONG ? " long" : ""}">${withArrow(heading)}</th>`)}</tr></thead>
<tbody>
${rows.map(
  (row) =>
    html`<tr>${row.map((cell, c) =>
      c === 0
        ? html`<th scope="row">${content(cell)}</th>`
        : html`<td class="${kind(c)}">${content(cell)}</td>`,
    )}</tr>\n`,
)}</tbody>
</table>
</div>
${notes.length === 0 ? undefined : html`<ul class="notes">${notes.map((note) => html`<li>${note}</li>`)}</ul>`}`;
}

/** With its arrow kept beside its last word. */
const withArrow = (heading: string) => heading.replace(/ (?=[↑↓]$)/, "\u00a0");

function content(cell: Cell): Html {
  if (typeof cell === "string" || cell.detail === "") return html`${cellText(cell)}`;
  return html`${cell.text} <span class="detail">${cell.detail}</span>`;
}
