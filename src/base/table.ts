import { FormatError, type Place } from "./errors.ts";
import { forEachLine, textLines } from "./text-lines.ts";

/** One line of a table. */
export interface TableRow {
  /** The asked columns' fields, in the order asked. */
  readonly fields: readonly string[];
  /** 1-based line of the file. */
  readonly line: number;
}

/**
 * Rows of a tab-separated table with one header line, plain or compressed; columns are found by their names, and others
 * are passed over. Fields are taken as they are: no quotes, no comments. Blank lines are skipped.
 *
 * @throws {FormatError} when the file is empty, a column is missing or named twice, or a line has another number of
 *   fields than the header
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
 * `readTable` for tables of millions of rows: `visit` is called for each row, without a promise for each.
 * What `visit` throws stops the reading and is thrown on.
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

class TableReader {
  private header: readonly string[] | undefined;
  private places: readonly number[] = [];

  constructor(
    private readonly path: string,
    private readonly columns: readonly string[],
  ) {}

  /** Undefined for the header and for blank lines. */
  row(text: string, line: number): TableRow | undefined {
    if (text === "") return undefined;
    const fields = text.split("\t");
    const place = { file: this.path, line };
    if (this.header === undefined) {
      this.header = fields;
      this.places = columnPlaces(fields, this.columns, place);
      return undefined;
    }
    if (fields.length !== this.header.length) {
      throw new FormatError(
        place,
        `the line has ${fields.length} fields, the header ${this.header.length}`,
        "fields are separated by tabs",
      );
    }
    return { fields: this.places.map((place) => fields[place]), line };
  }

  end(): void {
    if (this.header === undefined) throw new FormatError({ file: this.path }, "the table is empty");
  }
}

function columnPlaces(
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

/** Where a field of a table lies: its file and line, for messages. */
export type FieldPlace = Place & { readonly file: string };

/**
 * A whole number written with digits alone: no sign unless `min` is below 0, no point, no exponent, no blanks.
 *
 * @param name  what the field is called, for the message
 * @throws {FormatError} when it is none, or lies outside [min, max]
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

/** NaN when the text is not digits behind at most one minus. By hand, for tables with millions of numbers. */
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
  // 0 - 0 is 0, where -0 would be another number.
  return negative ? 0 - value : value;
}

const MINUS = 45;
const ZERO = 48;

/**
 * A finite number in decimal or scientific notation.
 * @throws {FormatError} when it is none
 */
export function parseFiniteNumber(text: string, name: string, place: FieldPlace): number {
  const value = parseDecimal(text);
  if (!Number.isFinite(value)) {
    throw new FormatError(place, `${name} ${JSON.stringify(text.slice(0, 40))} is not a number`);
  }
  return value;
}

/** A number in decimal or scientific notation; NaN for any other text, infinite where it is too large. */
export function parseDecimal(text: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
}
