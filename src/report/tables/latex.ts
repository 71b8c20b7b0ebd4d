import { cellText, type Table } from "./table.ts";

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
    .replace(/[\\{}&%$#_~^<>−±×≥≤½→↑↓–·]/g, (letter) => LATEX[letter]!)
    .replace(SUPERSCRIPT, (powers) => `$^{${asDigits(powers)}}$`);
}
