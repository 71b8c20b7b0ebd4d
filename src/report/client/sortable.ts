import { parseShownNumber, UNDEFINED } from "../numbers.ts";

/** The order that a click on a heading asks for, after each; undefined: the rows stand as they came. */
const NEXT = { none: "ascending", ascending: "descending", descending: undefined } as const;
type Order = Exclude<keyof typeof NEXT, "none">;

/** A row with what it is sorted by; undefined comes last in either order. */
interface Keyed {
  readonly row: HTMLTableRowElement;
  readonly key: number | string | undefined;
}

/** Words as a reader orders them: `kmer-markov-5` before `kmer-markov-10`. */
const collator = new Intl.Collator("en", { numeric: true });

/**
 * Makes each heading of a table a button that sorts its rows: rising, falling, as they came. Rows that are equal in a
 * column keep the order in which they came. A table of fewer than two rows is left as it is.
 */
export function makeSortable(table: HTMLTableElement): void {
  const body = table.tBodies[0];
  const headings = [...(table.tHead?.rows[0]?.cells ?? [])];
  if (body === undefined || body.rows.length < 2) return;
  const asItCame = [...body.rows];
  const said = document.createElement("span");
  said.setAttribute("aria-live", "polite");
  table.caption?.append(said);

  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    const name = heading.textContent;
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const order = NEXT[(heading.getAttribute("aria-sort") as Order | null) ?? "none"];
      for (const one of headings) one.removeAttribute("aria-sort");
      if (order !== undefined) heading.setAttribute("aria-sort", order);
      said.textContent = order === undefined ? "" : ` (now sorted by ${name}, ${order})`;
      const isNumber = heading.classList.contains("number");
      body.append(...(order === undefined ? asItCame : sorted(asItCame, column, isNumber, order)));
    });
  });
}

function sorted(
  rows: readonly HTMLTableRowElement[],
  column: number,
  isNumber: boolean,
  order: Order,
): HTMLTableRowElement[] {
  const keyed = rows.map((row): Keyed => {
    const text = row.cells[column].textContent.trim();
    if (isNumber) return { row, key: parseShownNumber(text) };
    return { row, key: text === UNDEFINED ? undefined : text };
  });
  const sign = order === "ascending" ? 1 : -1;
  return keyed.sort((a, b) => compare(a.key, b.key, sign)).map(({ row }) => row);
}

function compare(a: Keyed["key"], b: Keyed["key"], sign: number): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  if (typeof a === "number" && typeof b === "number") return sign * (a - b);
  return sign * collator.compare(String(a), String(b));
}
