import { cellText, type Table } from "./table.ts";

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
