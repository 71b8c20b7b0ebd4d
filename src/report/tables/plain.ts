import { cellText, type Table } from "./table.ts";

/** For a terminal: columns two spaces apart, a rule below the headings, notes below. */
export function plainTable({ caption, columns, rows, notes = [] }: Table): string {
  const texts = rows.map((row) => row.map(cellText));
  const widths = columns.map(({ heading }, c) =>
    Math.max(heading.length, ...texts.map((row) => row[c]!.length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, c) => (columns[c]!.align === "right" ? cell.padStart(widths[c]!) : cell.padEnd(widths[c]!)))
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
