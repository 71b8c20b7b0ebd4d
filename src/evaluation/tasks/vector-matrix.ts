import { InputError } from "../../base/errors.ts";
import type { Matrix } from "../../metrics/matrix.ts";

/**
 * Pooled embeddings as rows of a matrix.
 *
 * @param vectors  little-endian float32 in base64, one text per row
 * @throws {InputError} when they differ in length, or a text does not hold whole numbers
 */
export function vectorMatrix(vectors: readonly string[]): Matrix {
  const rows = vectors.length;
  let columns: number | undefined;
  let data = new Float32Array(0);
  vectors.forEach((text, row) => {
    const bytes = Buffer.from(text, "base64");
    columns ??= bytes.length / 4;
    if (bytes.length !== 4 * columns || !Number.isInteger(columns) || columns === 0) {
      throw new InputError(
        `the embedding of answer ${row + 1} has ${bytes.length} bytes, that of the first ${4 * columns}`,
        { hint: "a model gives vectors of one length, of four bytes per number" },
      );
    }
    if (row === 0) data = new Float32Array(rows * columns);
    for (let i = 0; i < columns; i++) data[row * columns + i] = bytes.readFloatLE(4 * i);
  });
  return { data, rows, columns: columns ?? 0 };
}
