import { InternalError } from "../../base/errors.ts";
import type { DataOf, DType } from "./dtype.ts";

/**
 * An n-dimensional array in memory: row-major (the last axis is contiguous), as NumPy's C order.
 *
 * `shape` is empty for a scalar, which has one element; an axis of length 0 makes an array without elements.
 */
export interface NdArray<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  /** `elementCount(shape)` elements; float16, bfloat16 and float8 as their bits, bool as 0 and 1. */
  readonly data: DataOf<D>;
}

/** Number of elements of an array of this shape: 1 for a scalar, 0 when an axis is empty. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((count, length) => count * length, 1);
}

/**
 * `data` with its shape.
 * @throws {InternalError} when the number of elements is not that of the shape
 */
export function ndArray<D extends DType>(dtype: D, shape: readonly number[], data: DataOf<D>): NdArray<D> {
  if (data.length !== elementCount(shape)) {
    throw new InternalError(`${data.length} elements do not fill the shape ${formatShape(shape)}`);
  }
  return { dtype, shape, data };
}

/** `[768, 64]`, as PyTorch and NumPy print it. */
export function formatShape(shape: readonly (number | string)[]): string {
  return `[${shape.join(", ")}]`;
}
