import { plainDigits } from "./numbers.ts";

/** Cell of a table: text, or text with a detail such as an interval. */
export type TableCell = string | { readonly text: string; readonly detail: string };

/** A column of a table. */
export interface TableColumn {
  readonly heading: string;
  /** Words are aligned left, numbers right. */
  readonly align: "left" | "right";
}

/** Table as data, which is written as text, Markdown, LaTeX or HTML. */
export interface Table {
  readonly caption: string;
  readonly columns: readonly TableColumn[];
  /** One cell per column; the first cell names the row. */
  readonly rows: readonly (readonly TableCell[])[];
  /** Colours each number by its share of its line, in HTML: for confusion matrices. */
  readonly heat?: true;
  /** Notes below the table, one sentence each. */
  readonly notes?: readonly string[];
}

/** Text of a cell, followed by its detail. */
export function cellText(cell: TableCell): string {
  return typeof cell === "string" ? cell : cell.detail === "" ? cell.text : `${cell.text} ${cell.detail}`;
}

/** Table for a terminal: aligned columns, a rule below the headings, notes at the end. */
export function plainTable({ caption, columns, rows, notes = [] }: Table): string {
  const texts = rows.map((row) => row.map(cellText));
  const widths = columns.map(({ heading }, c) =>
    Math.max(heading.length, ...texts.map((row) => row[c].length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, c) => (columns[c].align === "right" ? cell.padStart(widths[c]) : cell.padEnd(widths[c])))
      .join("  ")
      .trimEnd();
  return [
    caption,
    "",
    line(columns.map(({ heading }) => heading)),
    widths.map((width) => "─".repeat(width)).join("  "),
    ...texts.map(line),
    ...(notes.length === 0 ? [] : ["", ...notes]),
  ].join("\n");
}

/** GitHub-flavoured Markdown table below its caption, with escaped cells. */
export function markdownTable({ caption, columns, rows, notes = [] }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    `**${escapeMarkdown(caption)}**`,
    "",
    line(columns.map(({ heading }) => escapeMarkdown(heading))),
    line(columns.map(({ align }) => (align === "right" ? "---:" : ":---"))),
    ...rows.map((row) => line(row.map((cell) => escapeMarkdown(cellText(cell))))),
    ...(notes.length === 0 ? [] : ["", ...notes.map((note) => `- ${escapeMarkdown(note)}`)]),
  ].join("\n");
}

function escapeMarkdown(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/[\\`*_[\]<>|~#]/g, "\\$&")
    .replace(/&(?=#?\w+;)/g, "&amp;");
}

/** LaTeX `table` environment with rules of the `booktabs` package. */
export function latexTable({ caption, columns, rows, notes = [] }: Table): string {
  // LaTeX would read a bracket at the beginning of a row as an option of the preceding row break.
  const line = (cells: readonly string[]) =>
    `  ${cells.map(escapeLatex).join(" & ").replace(/^\[/, "{[}")} \\\\`;
  return [
    "\\begin{table}",
    "\\centering",
    `\\caption{${escapeLatex(caption)}}`,
    `\\begin{tabular}{${columns.map(({ align }) => (align === "right" ? "r" : "l")).join("")}}`,
    "  \\toprule",
    line(columns.map(({ heading }) => heading)),
    "  \\midrule",
    ...rows.map((row) => line(row.map(cellText))),
    "  \\bottomrule",
    "\\end{tabular}",
    ...notes.map((note) => `\\par\\footnotesize ${escapeLatex(note)}`),
    "\\end{table}",
  ].join("\n");
}

/** LaTeX for special characters, and for characters that its default fonts lack. */
const LATEX: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "{": "\\{",
  "}": "\\}",
  "&": "\\&",
  "%": "\\%",
  $: "\\$",
  "#": "\\#",
  _: "\\_",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "<": "$<$",
  ">": "$>$",
  "−": "$-$",
  "±": "$\\pm$",
  "×": "$\\times$",
  "≥": "$\\ge$",
  "≤": "$\\le$",
  "½": "$\\frac12$",
  "→": "$\\rightarrow$",
  "↑": "$\\uparrow$",
  "↓": "$\\downarrow$",
  "–": "--",
  "·": "$\\cdot$",
};

/** Escapes text for LaTeX, with superscripts such as `×10⁻⁴¹` in math mode. */
export function escapeLatex(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/[\\{}&%$#_~^<>−±×≥≤½→↑↓–·]/g, (character) => LATEX[character])
    .replace(/[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+/g, (exponent) => `$^{${plainDigits(exponent)}}$`);
}
