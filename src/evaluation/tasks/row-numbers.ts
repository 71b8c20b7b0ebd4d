import { InputError } from "../../base/errors.ts";
import type { RowNumbers } from "./task.ts";

interface NumberedRow {
  /** 0-based number of the data row in the whole table. */
  readonly index: number;
}

/** @throws {InputError} when a number is 2^32 or more */
export function numbersOf(rows: readonly NumberedRow[]): RowNumbers {
  const most = rows.reduce((most, { index }) => Math.max(most, index), 0);
  if (most < 2 ** 32) return Uint32Array.from(rows, ({ index }) => index);
  throw new InputError(`a row has the index ${most}`, { hint: "numbers of rows are below 2^32" });
}

/** A table's rows by their numbers, in the order asked. */
export function rowsByNumber<Row extends NumberedRow>(table: readonly Row[]): (rows: RowNumbers) => Row[] {
  if (table.every(({ index }, i) => index === i)) return (rows) => Array.from(rows, (row) => table[row]!);
  const places = new Map(table.map((row) => [row.index, row]));
  return (rows) => Array.from(rows, (row) => places.get(row)!);
}
