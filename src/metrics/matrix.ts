import { InputError } from "../base/errors.ts";
import { requireFinite } from "./input-checks.ts";

/** A row-major matrix: [rows, columns]. */
export interface Matrix {
  readonly data: Float64Array | Float32Array;
  readonly rows: number;
  readonly columns: number;
}

/**
 * Rejects a matrix whose length does not match its shape, or with an entry that is not finite.
 *
 * @param what  name of one entry, for the message: "logit", "feature"
 * @throws {InputError} when it is one
 */
export function requireMatrix({ data, rows, columns }: Matrix, what: string): void {
  const whole = Number.isSafeInteger(rows) && Number.isSafeInteger(columns) && rows >= 0 && columns >= 0;
  if (!whole || data.length !== rows * columns) {
    throw new InputError(
      `the matrix has ${data.length} numbers; expected ${rows} rows of ${columns} columns`,
    );
  }
  requireFinite(data, `row after row, ${what}`);
}
