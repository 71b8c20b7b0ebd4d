import { FormatError } from "../../base/errors.ts";
import { type FieldPlace, parseWholeNumber, readTable } from "../../base/table.ts";
import { StringPool, textLines } from "../../base/text-lines.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { MAX_POSITION } from "../../dna/genome/interval.ts";
import { CELL_LINES, type CellLine } from "../cell-lines.ts";

/** Region of chromatin that is open in one cell line only. Positions are 0-based, ends exclusive. */
export interface CellTypeElementRow {
  /** 0-based number of the data row in the whole table. */
  readonly index: number;
  readonly chrom: string;
  /** The model's input window. */
  readonly inputStart: number;
  readonly inputEnd: number;
  /** The peak; the same bases in the published table. */
  readonly elementStart: number;
  readonly elementEnd: number;
  readonly label: CellLine;
}

/** Columns of DART-Eval's table. Its loader relies on their order. */
const COLUMNS = ["chr", "input_start", "input_end", "elem_start", "elem_end", "is_peak", "label"] as const;

/**
 * Reads the table of cell-type-specific elements (`peaks_by_cell_label_unique_dataloader_format.tsv`), plain
 * or compressed. The column `is_peak`, always True, is ignored.
 *
 * @throws {FormatError} naming the line when a column is missing, a position is not a number, an end is not
 *   after its start, windows differ in length, or a label is not one of the five cell lines
 */
export async function readCellTypeElements(path: string): Promise<CellTypeElementRow[]> {
  const rows: CellTypeElementRow[] = [];
  const names = new StringPool();
  for await (const { fields, line } of readTable(path, COLUMNS)) {
    const place = { file: path, line };
    const position = (column: number) =>
      parseWholeNumber(fields[column], COLUMNS[column], place, 0, MAX_POSITION);
    const row = {
      index: rows.length,
      chrom: names.intern(chromosomeName(fields[0], place)),
      inputStart: position(1),
      inputEnd: position(2),
      elementStart: position(3),
      elementEnd: position(4),
      label: cellLineOf(fields[6], place),
    };
    checkEnds(row, rows[0], place);
    rows.push(row);
  }
  return rows;
}

/**
 * Writes the table atomically.
 * @throws {InputError} when it cannot be written
 */
export async function writeCellTypeElements(
  path: string,
  rows: Iterable<Omit<CellTypeElementRow, "index">>,
): Promise<void> {
  const lines = [COLUMNS.join("\t")];
  for (const { chrom, inputStart, inputEnd, elementStart, elementEnd, label } of rows) {
    lines.push([chrom, inputStart, inputEnd, elementStart, elementEnd, "True", label].join("\t"));
  }
  await writeFileAtomic(path, `${lines.join("\n")}\n`);
}

function chromosomeName(name: string, place: FieldPlace): string {
  if (name === "") throw new FormatError(place, "the chromosome's name is empty");
  return name;
}

function cellLineOf(text: string, place: FieldPlace): CellLine {
  const found = CELL_LINES.find((line) => line === text);
  if (found !== undefined) return found;
  throw new FormatError(
    place,
    `the label is ${JSON.stringify(text.slice(0, 40))}; expected one of ${CELL_LINES.join(", ")}`,
  );
}

function checkEnds(row: CellTypeElementRow, first: CellTypeElementRow | undefined, place: FieldPlace): void {
  const { inputStart, inputEnd, elementStart, elementEnd } = row;
  if (inputEnd <= inputStart) {
    throw new FormatError(place, `input_end ${inputEnd} is not after input_start ${inputStart}`);
  }
  if (elementEnd <= elementStart) {
    throw new FormatError(place, `elem_end ${elementEnd} is not after elem_start ${elementStart}`);
  }
  if (first === undefined || inputEnd - inputStart === first.inputEnd - first.inputStart) return;
  throw new FormatError(
    place,
    `the window has ${inputEnd - inputStart} bases, the first row's has ${first.inputEnd - first.inputStart}`,
  );
}

/**
 * Reads a list of row numbers, 0-based: one column with a header, such as DART-Eval's
 * `indices_of_new_peaks_in_old_file.tsv`.
 *
 * @param rows  number of rows of the table
 * @returns     in file order
 * @throws {FormatError} naming the line when a number is not a row's or occurs twice, when the file has no
 *   number, or begins with a row number instead of a header
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
        "rows count from 0; was the list made for another table?",
      );
    }
    if (seen.has(row)) throw new FormatError(place, `row ${row} occurs twice`);
    seen.add(row);
  }
  if (seen.size === 0) {
    throw new FormatError({ file: path }, "no row is listed", "the first line is a header");
  }
  // pandas writes 0 as the header of an unnamed column. Rows do not repeat, so a first line that occurs again
  // is a header.
  const first = /^\d{1,16}$/.test(header) ? Number(header) : Number.NaN;
  if (first > 0 && first < rows && !seen.has(first)) {
    throw new FormatError(
      { file: path, line: 1 },
      `the first line, ${first}, is a row number; expected a header`,
      "add a header line, such as index",
    );
  }
  return [...seen];
}

/** Writes a list of row numbers atomically. @throws {InputError} when it cannot be written */
export async function writeRowList(path: string, rows: readonly number[]): Promise<void> {
  await writeFileAtomic(path, `${["index", ...rows].join("\n")}\n`);
}
