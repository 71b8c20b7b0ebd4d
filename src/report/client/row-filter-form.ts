import type { RowSet } from "../row-format.ts";
import type { RowFilter } from "../row-query.ts";

/** Texts of a column that a select lists; more are matched by a search. */
const LISTED = 40;

/** An element with some properties. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<HTMLElementTagNameMap[Name]>,
): HTMLElementTagNameMap[Name] {
  return Object.assign(document.createElement(name), properties);
}

/** Inputs of the filter: locus, texts, and the range of one number. */
export function filterForm({ columns, hasLoci, tracked }: RowSet): HTMLFormElement {
  const form = element("form", { className: "row-filter" });
  form.setAttribute("role", "search");
  form.setAttribute("aria-label", "Rows");
  const labelled = (title: string, ...inputs: HTMLElement[]) => {
    const label = element("label", { textContent: title });
    label.append(...inputs);
    form.append(label);
  };
  if (hasLoci)
    labelled(
      "locus",
      element("input", {
        name: "locus",
        type: "search",
        placeholder: "chr1:1,000-2,000",
        autocomplete: "off",
      }),
    );
  columns.forEach((column, c) => {
    if (column.kind !== "text" || (hasLoci && c === 1)) return;
    if (column.texts.length <= LISTED) {
      const select = element("select", { name: `text-${c}` });
      select.append(new Option("all", ""), ...column.texts.map((text, i) => new Option(text, String(i + 1))));
      labelled(column.title, select);
    } else
      labelled(column.title, element("input", { name: `text-${c}`, type: "search", autocomplete: "off" }));
  });
  const select = element("select", { name: "column" });
  columns.forEach((column, c) => {
    if (column.kind === "number") select.append(new Option(column.title, String(c)));
  });
  labelled("values of", select);
  for (const name of ["least", "most"]) {
    labelled(name === "least" ? "from" : "to", element("input", { name, type: "number", step: "any" }));
  }
  if (tracked !== undefined) {
    const label = element("label", { className: "check" });
    label.append(
      element("input", { name: "tracked", type: "checkbox" }),
      ` only rows with base scores (${tracked.length.toLocaleString("en-US")})`,
    );
    form.append(label);
  }
  return form;
}

/** The filter that the form has. */
export function rowFilterOf({ columns, tracked }: RowSet, data: FormData): RowFilter {
  const text = (name: string) => String(data.get(name) ?? "").trim();
  const texts = new Map<number, ReadonlySet<number>>();
  columns.forEach((column, c) => {
    const wanted = text(`text-${c}`);
    if (column.kind !== "text" || wanted === "") return;
    const lower = wanted.toLowerCase();
    texts.set(
      c,
      column.texts.length <= LISTED
        ? new Set([Number(wanted)])
        : new Set(column.texts.flatMap((one, i) => (one.toLowerCase().includes(lower) ? [i + 1] : []))),
    );
  });
  const number = (name: string, empty: number) => (text(name) === "" ? empty : Number(text(name)));
  const hasRange = text("least") !== "" || text("most") !== "";
  const within = locusFilter(columns[1], text("locus"));
  return {
    texts,
    ...(within === undefined ? {} : { within }),
    ...(data.has("tracked") ? { rows: new Set(tracked) } : {}),
    ...(hasRange
      ? {
          range: {
            column: Number(text("column")),
            least: number("least", Number.NEGATIVE_INFINITY),
            most: number("most", Number.POSITIVE_INFINITY),
          },
        }
      : {}),
  };
}

/** `chr1`, `chr1:1,000` or `chr1:1,000-2,000`, 1-based and inclusive; no row has an unknown chromosome. */
function locusFilter(column: RowSet["columns"][number] | undefined, text: string): RowFilter["within"] {
  const found = /^([^:\s]+)(?::([\d,]*)(?:-([\d,]*))?)?$/.exec(text);
  if (found === null || column?.kind !== "text") return undefined;
  const [, name = "", first = "", last = ""] = found;
  const whole = (digits: string) => Number(digits.replaceAll(",", ""));
  const from = first === "" ? 0 : Math.max(0, whole(first) - 1);
  const to = last === "" ? (first === "" || text.includes("-") ? 2 ** 32 : from + 1) : whole(last);
  const chromosome = 1 + column.texts.findIndex((one) => one.toLowerCase() === name.toLowerCase());
  return { chromosome: chromosome === 0 ? -1 : chromosome, from, to };
}
