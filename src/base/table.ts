import { FormatError, type Place } from "./errors.ts";
import { forEachLine, textLines } from "./text-lines.ts";

/** One row of a table. */
export interface TableRow {
  /** Fields of the requested columns, in the order of the request. */
  readonly fields: readonly string[];
  /** 1-based line of the file. */
  readonly line: number;
}

/**
 * Rows of a tab-separated table with one header line, plain or compressed. Selects columns by name. Fields
 * are read verbatim, without quoting or comments; empty lines are skipped.
 *
 * @param columns  names of the columns to read
 * @throws {FormatError} when the file is empty, a column is missing or duplicated, or the number of fields in
 *   a line differs from the header
 */
export async function* readTable(path: string, columns: readonly string[]): AsyncGenerator<TableRow> {
  const reader = new TableReader(path, columns);
  for await (const { text, number } of textLines(path)) {
    const row = reader.row(text, number);
    if (row !== undefined) yield row;
  }
  reader.end();
}

/**
 * `readTable` with a callback, for tables of millions of rows: no promise per row. An error thrown by `visit`
 * stops the reading and propagates.
 */
export async function forEachTableRow(
  path: string,
  columns: readonly string[],
  visit: (row: TableRow) => void,
): Promise<void> {
  const reader = new TableReader(path, columns);
  await forEachLine(path, (text, number) => {
    const row = reader.row(text, number);
    if (row !== undefined) visit(row);
  });
  reader.end();
}

/** Names of a table's columns. @throws {FormatError} when the file is empty */
export async function readHeader(path: string): Promise<readonly string[]> {
  for await (const { text } of textLines(path)) return text.split("\t");
  throw emptyTable(path);
}

const emptyTable = (path: string) => new FormatError({ file: path }, "the table is empty");

class TableReader {
  private header: readonly string[] | undefined;
  private indices: readonly number[] = [];

  constructor(
    private readonly path: string,
    private readonly columns: readonly string[],
  ) {}

  /** Parses a line; undefined for the header and for empty lines. */
  row(text: string, line: number): TableRow | undefined {
    if (text === "") return undefined;
    const fields = text.split("\t");
    const place = { file: this.path, line };
    if (this.header === undefined) {
      this.header = fields;
      this.indices = columnIndices(fields, this.columns, place);
      return undefined;
    }
    if (fields.length !== this.header.length) {
      throw new FormatError(
        place,
        `the line has ${fields.length} fields, the header ${this.header.length}`,
        "fields are separated by tabs",
      );
    }
    return { fields: this.indices.map((i) => fields[i]), line };
  }

  end(): void {
    if (this.header === undefined) throw emptyTable(this.path);
  }
}

function columnIndices(
  header: readonly string[],
  columns: readonly string[],
  place: { readonly file: string; readonly line: number },
): number[] {
  return columns.map((column) => {
    const at = header.indexOf(column);
    if (at === -1) {
      const found = header.slice(0, 20).join(", ").slice(0, 300);
      throw new FormatError(
        place,
        `there is no column ${JSON.stringify(column)}; the header names ${found}`,
        "columns are separated by tabs",
      );
    }
    if (header.indexOf(column, at + 1) !== -1) {
      throw new FormatError(place, `two columns are named ${JSON.stringify(column)}`);
    }
    return at;
  });
}

/** Location of a field of a table, for messages. */
export type FieldPlace = Place & { readonly file: string };

/**
 * Parses an integer of digits only: no plus sign, decimal point, exponent or spaces.
 *
 * @param name  name of the field, for the message
 * @throws {FormatError} when the text is not an integer, or outside [min, max]
 */
export function parseWholeNumber(
  text: string,
  name: string,
  place: FieldPlace,
  min = 0,
  max = Number.MAX_SAFE_INTEGER,
): number {
  const value = digitsValue(text);
  if (!(value >= min && value <= max)) {
    const range = Number.isNaN(value) ? "is not a whole number" : `is not from ${min} to ${max}`;
    throw new FormatError(place, `${name} ${JSON.stringify(text.slice(0, 40))} ${range}`);
  }
  return value;
}

/**
 * Value of decimal digits after an optional minus, else NaN. Hand-written for tables with millions of
 * numbers.
 */
function digitsValue(text: string): number {
  const negative = text.charCodeAt(0) === MINUS;
  const first = negative ? 1 : 0;
  if (text.length === first || text.length - first > 16) return Number.NaN;
  let value = 0;
  for (let i = first; i < text.length; i++) {
    const digit = text.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = 10 * value + digit;
  }
  // 0 - value, because -value would give -0.
  return negative ? 0 - value : value;
}

const MINUS = 45;
const ZERO = 48;

/**
 * Parses a finite number in decimal or scientific notation.
 * @throws {FormatError} when the text is not a number
 */
export function parseFiniteNumber(text: string, name: string, place: FieldPlace): number {
  const value = parseDecimal(text);
  if (!Number.isFinite(value)) {
    throw new FormatError(place, `${name} ${JSON.stringify(text.slice(0, 40))} is not a number`);
  }
  return value;
}

/** Parses a number in decimal or scientific notation; NaN for any other text, infinity on overflow. */
export function parseDecimal(text: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
}
