/** A cell's text, or a text with a second, quieter one: an estimate and its interval. */
export type TableCell = string | { readonly text: string; readonly detail: string };

/** A column of a table. */
export interface TableColumn {
  readonly heading: string;
  /** Words are aligned left, numbers right. */
  readonly align: "left" | "right";
}

/** A table as data; the writers beside this file turn it into text, Markdown, LaTeX or HTML. */
export interface Table {
  readonly caption: string;
  readonly columns: readonly TableColumn[];
  /** One cell per column; the first cell names the row. */
  readonly rows: readonly (readonly TableCell[])[];
  /** What a reader must know to read it: one sentence each, below the table. */
  readonly notes?: readonly string[];
}

/** Both texts of a cell in one, the quieter one after a space. */
export function cellText(cell: TableCell): string {
  return typeof cell === "string" ? cell : cell.detail === "" ? cell.text : `${cell.text} ${cell.detail}`;
}

/** For a terminal: columns two spaces apart, a rule below the headings, notes below. */
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

/** A GitHub-flavoured Markdown table under its caption; nothing in a cell is read as markup. */
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
    .replace(/&/g, "&amp;");
}

/** A `table` environment for the `booktabs` package. */
export function latexTable({ caption, columns, rows, notes = [] }: Table): string {
  // A bracket that opens a row would be read as an option of the row break before it.
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

/** Characters that LaTeX reads as commands, and those its default fonts lack. */
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

/** Powers of ten as `numbers.ts` writes them: `×10⁻⁴¹`. */
const SUPERSCRIPT = /[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+/g;
const asDigits = (text: string) =>
  [...text].map((letter) => (letter === "⁻" ? "-" : "⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(letter))).join("");

export function escapeLatex(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/[\\{}&%$#_~^<>−±×≥≤½→↑↓–·]/g, (letter) => LATEX[letter])
    .replace(SUPERSCRIPT, (powers) => `$^{${asDigits(powers)}}$`);
}
