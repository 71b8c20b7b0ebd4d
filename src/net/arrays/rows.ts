import { InputError } from "../../base/errors.ts";
import { elementCount, formatShape } from "./array.ts";
import { bytesPerElement } from "./dtype.ts";
import type { StoredArray } from "./stored-array.ts";

/** Rows [start, end), 0-based, half-open. */
export type Rows = readonly [start: number, end: number];

/**
 * The place of some rows of a stored array. Rows run along the first axis that is longer than 1, so that
 * [1, 1, 32000, 768] has 32000 rows; an array whose axes are all 1 has one row, along its last axis.
 *
 * @returns the place of an array of the same rank, with end - start rows
 * @throws {InputError} for a scalar, and for rows outside the array
 */
export function placeOfRows(stored: StoredArray, [start, end]: Rows): StoredArray {
  const { name, file, shape, dtype } = stored;
  const long = shape.findIndex((length) => length !== 1);
  const axis = long === -1 ? shape.length - 1 : long;
  const fail = (message: string): never => {
    throw new InputError(message, { place: { file, tensor: name } });
  };
  if (axis === -1) return fail("a single number has no rows");
  const rows = shape[axis]!;
  const inside =
    Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= rows;
  if (!inside)
    return fail(`rows [${start}, ${end}) were asked for; the shape ${formatShape(shape)} has ${rows}`);

  const part = { ...stored, shape: shape.with(axis, end - start) };
  const size = bytesPerElement(dtype);
  if (stored.strides === undefined) {
    const rowBytes = elementCount(shape.slice(axis + 1)) * size;
    return { ...part, offset: stored.offset + start * rowBytes, length: (end - start) * rowBytes };
  }
  return {
    ...part,
    offset: stored.offset + start * stored.strides[axis]! * size,
    length: spanOf(part.shape, stored.strides) * size,
  };
}

/** Elements from the first to the last one, both included, of an array with these strides; 0 when it has none. */
export function spanOf(shape: readonly number[], strides: readonly number[]): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((span, length, axis) => span + (length - 1) * strides[axis]!, 1);
}

/** Strides, in elements, of a row-major array: [h·w, w, 1] for [n, h, w]. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis]!;
  }
  return strides;
}

/** Whether elements with these strides lie in row-major order. Axes of length 1 may have any stride; so may empty arrays. */
export function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  if (shape.includes(0)) return true;
  const expected = rowMajorStrides(shape);
  return shape.every((length, axis) => length === 1 || strides[axis] === expected[axis]);
}
