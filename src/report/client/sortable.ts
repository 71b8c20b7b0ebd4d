import { parseShownNumber, UNDEFINED } from "../numbers.ts";

/** Order after a click on a heading, by the current order; undefined: the original order. */
const NEXT = { none: "ascending", ascending: "descending", descending: undefined } as const;
type Order = Exclude<keyof typeof NEXT, "none">;

/** Row with its sort key; undefined keys come last in both orders. */
interface Keyed {
  readonly row: HTMLTableRowElement;
  readonly key: number | string | undefined;
}

/** Natural order: `kmer-markov-5` before `kmer-markov-10`. */
const collator = new Intl.Collator("en", { numeric: true });

/**
 * Makes each heading of a table a button that sorts the rows of every table body: ascending, descending,
 * original order. The sort is stable; a body's heading row stays first. Tables of fewer than two rows stay
 * unchanged.
 */
export function makeSortable(table: HTMLTableElement): void {
  const headings = [...(table.tHead?.rows[0]?.cells ?? [])];
  const bodies = [...table.tBodies].map((body) => ({
    body,
    original: [...body.rows].filter((row) => !row.classList.contains("setting")),
  }));
  if (bodies.every(({ original }) => original.length < 2)) return;
  const status = document.createElement("span");
  status.setAttribute("aria-live", "polite");
  table.caption?.append(status);

  headings.forEach((heading, column) => {
    if (heading.dataset.sort === "none") return;
    const button = document.createElement("button");
    button.type = "button";
    const name = heading.textContent;
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const order = NEXT[(heading.getAttribute("aria-sort") as Order | null) ?? "none"];
      for (const one of headings) one.removeAttribute("aria-sort");
      if (order !== undefined) heading.setAttribute("aria-sort", order);
      status.textContent = order === undefined ? "" : ` (now sorted by ${name}, ${order})`;
      const isNumber = heading.classList.contains("number");
      for (const { body, original } of bodies) {
        body.append(...(order === undefined ? original : sorted(original, column, isNumber, order)));
      }
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
