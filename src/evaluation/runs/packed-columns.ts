import { deflateRawSync, inflateRawSync } from "node:zlib";
import { z } from "zod";
import { bytesPerNumber, NUMBER_TYPES, type Numbers, newNumbers } from "../../base/typed-numbers.ts";
import type { PredictionColumnForm } from "../tasks/column.ts";
import { ColumnsBuilder } from "../tasks/columns-builder.ts";
import { type ColumnsLayout, PredictionColumns } from "../tasks/prediction-columns.ts";

/*
 * Columns of a batch as text: little-endian, column by column, with the bytes of a column shuffled into
 * planes (all first bytes, then all second bytes) to compress better; then deflate (RFC 1951) and base64.
 */

/** Packed rows of a batch with their layout. */
export interface PackedColumns {
  readonly layout: ColumnsLayout;
  readonly data: string;
}

/** Maximum number of values in a valid batch. */
const MAX_VALUES = 2 ** 27;

export const layoutSchema: z.ZodType<ColumnsLayout> = z.strictObject({
  kind: z.enum(["likelihood", "logits", "distance", "vector", "activity"]),
  columns: z
    .array(
      z.strictObject({
        name: z.string(),
        of: z.enum(["prediction", "fact"]),
        type: z.enum(NUMBER_TYPES),
        width: z.int().positive().max(MAX_VALUES),
        texts: z.array(z.string()).exactOptional(),
      }),
    )
    .min(1),
});

/**
 * Packs a batch of predictions.
 *
 * @param before  layout of the previous batch, which the new layout extends
 * @throws {InputError} when the predictions are of another kind or have other numbers of values
 */
export function packColumns(batch: PredictionColumns, before: ColumnsLayout | undefined): PackedColumns {
  const builder = new ColumnsBuilder(batch.length, before, { memory: Number.POSITIVE_INFINITY });
  builder.add(batch);
  const { kind, columns } = builder.done();
  const bytes = Buffer.concat(columns.map(({ data }) => bytePlanes(data)));
  const layout = { kind, columns: columns.map(({ data: _, ...form }) => form) };
  return { layout, data: deflateRawSync(bytes).toString("base64") };
}

/** Unpacks a batch; undefined when the data do not have this layout and number of rows. */
export function unpackColumns({ layout, data }: PackedColumns, rows: number): PredictionColumns | undefined {
  const values = layout.columns.reduce((sum, { width }) => sum + rows * width, 0);
  if (values > MAX_VALUES) return undefined;
  const sizes = layout.columns.map((form) => sizeOf(form, rows));
  const size = sizes.reduce((sum, bytes) => sum + bytes, 0);
  const bytes = inflated(data, size);
  if (bytes?.length !== size) return undefined;
  let at = 0;
  const columns = layout.columns.map((form, i) => {
    const numbers = newNumbers(form.type, rows * form.width);
    fromBytePlanes(bytes.subarray(at, at + sizes[i]), numbers);
    at += sizes[i];
    return { ...form, data: numbers };
  });
  const known = columns.every(
    ({ texts, data }) => texts === undefined || data.every((code) => code <= texts.length),
  );
  return known ? new PredictionColumns(layout.kind, rows, columns) : undefined;
}

const sizeOf = ({ type, width }: PredictionColumnForm, rows: number) => bytesPerNumber(type) * width * rows;

function inflated(data: string, size: number): Buffer | undefined {
  try {
    return inflateRawSync(Buffer.from(data, "base64"), { maxOutputLength: Math.max(size, 1) });
  } catch {
    // The caller reports data of another size as damaged.
    return undefined;
  }
}

/** All first bytes of the numbers, then all second bytes, and so on. */
function bytePlanes(numbers: Numbers): Uint8Array {
  const { length, BYTES_PER_ELEMENT: size } = numbers;
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  const planes = new Uint8Array(bytes.length);
  for (let plane = 0; plane < size; plane++) {
    for (let i = 0; i < length; i++) planes[plane * length + i] = bytes[i * size + plane];
  }
  return planes;
}

/** The inverse of `bytePlanes`. */
function fromBytePlanes(planes: Uint8Array, numbers: Numbers): void {
  const { length, BYTES_PER_ELEMENT: size } = numbers;
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  for (let plane = 0; plane < size; plane++) {
    for (let i = 0; i < length; i++) bytes[i * size + plane] = planes[plane * length + i];
  }
}
