import { InputError } from "../base/errors.ts";
import { requireFinite } from "./input-checks.ts";

/** Numbers in rows and columns, row after row. [rows, columns] */
export interface Matrix {
  readonly data: Float64Array | Float32Array;
  readonly rows: number;
  readonly columns: number;
}

/**
 * Refuses a matrix whose parts do not fit, or with an entry that is not finite.
 *
 * @param what  one entry in words: "logit", "feature"
 * @throws {InputError} when it is one
 */
export function requireMatrix({ data, rows, columns }: Matrix, what: string): void {
  const whole = Number.isSafeInteger(rows) && Number.isSafeInteger(columns) && rows >= 0 && columns >= 0;
  if (!whole || data.length !== rows * columns) {
    throw new InputError(`${data.length} numbers do not make ${rows} rows of ${columns} columns`);
  }
  requireFinite(data, `row after row, ${what}`);
}
