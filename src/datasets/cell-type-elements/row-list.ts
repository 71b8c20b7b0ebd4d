import { FormatError } from "../../base/errors.ts";
import { parseWholeNumber } from "../../base/table.ts";
import { textLines } from "../../base/text-lines.ts";
import { writeFileAtomic } from "../../base/write-file.ts";

/**
 * Numbers of some rows of a table: one column, one header line, as `indices_of_new_peaks_in_old_file.tsv` of DART-Eval.
 *
 * @param rows  rows of the table that they number, from 0
 * @returns     in the order of the file
 * @throws {FormatError} naming the line when a number is none of a row, or comes twice; when the file has no number, or begins
 *   with a row's number instead of a header
 */
export async function readRowList(path: string, rows: number): Promise<readonly number[]> {
  const seen = new Set<number>();
  let header = "";
  for await (const { text, number: line } of textLines(path)) {
    if (line === 1) header = text;
    if (line === 1 || text === "") continue;
    const place = { file: path, line };
    const row = parseWholeNumber(text, "row", place);
    if (row >= rows) {
      throw new FormatError(
        place,
        `row ${row} is not in the table, which has ${rows} rows`,
        "rows are numbered from 0; was the list made for another table?",
      );
    }
    if (seen.has(row)) throw new FormatError(place, `row ${row} comes twice`);
    seen.add(row);
  }
  if (seen.size === 0) {
    throw new FormatError({ file: path }, "no row is listed", "the first line is a header");
  }
  // A header 0 is what pandas writes for a column without a name; no row is listed twice, so one that comes again is a header too.
  const first = /^\d{1,16}$/.test(header) ? Number(header) : Number.NaN;
  if (first > 0 && first < rows && !seen.has(first)) {
    throw new FormatError(
      { file: path, line: 1 },
      `the first line, ${first}, is a row's number where a header is expected`,
      "put a line with a name, such as index, before it",
    );
  }
  return [...seen];
}

/** Writes such a list, whole or not at all. @throws {InputError} when it cannot be written */
export async function writeRowList(path: string, rows: readonly number[]): Promise<void> {
  await writeFileAtomic(path, `${["index", ...rows].join("\n")}\n`);
}
