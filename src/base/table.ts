import { FormatError } from "./errors.ts";
import { textLines } from "./text-lines.ts";

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
  let header: readonly string[] | undefined;
  let places: readonly number[] = [];
  for await (const { text, number: line } of textLines(path)) {
    if (text === "") continue;
    const fields = text.split("\t");
    if (header === undefined) {
      header = fields;
      places = columnPlaces(header, columns, { file: path, line });
      continue;
    }
    if (fields.length !== header.length) {
      throw new FormatError(
        { file: path, line },
        `the line has ${fields.length} fields, the header ${header.length}`,
        "fields are separated by tabs",
      );
    }
    yield { fields: places.map((place) => fields[place]!), line };
  }
  if (header === undefined) throw new FormatError({ file: path }, "the table is empty");
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
