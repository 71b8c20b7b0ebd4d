import { InternalError } from "../../base/errors.ts";

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

/**
 * The element types a checkpoint may hold, by their NumPy/PyTorch names, with what one element takes on disk
 * and the typed array that holds it here. All are little-endian, on disk as in memory.
 *
 * JavaScript has no 16- or 8-bit floats: those types are held as their bits (`float-conversion.ts` turns them into float32).
 * `bool` is one byte, 0 or 1.
 */
const DTYPES = {
  float64: { bytes: 8, array: Float64Array },
  float32: { bytes: 4, array: Float32Array },
  float16: { bytes: 2, array: Uint16Array },
  bfloat16: { bytes: 2, array: Uint16Array },
  float8_e4m3fn: { bytes: 1, array: Uint8Array },
  float8_e5m2: { bytes: 1, array: Uint8Array },
  int64: { bytes: 8, array: BigInt64Array },
  uint64: { bytes: 8, array: BigUint64Array },
  int32: { bytes: 4, array: Int32Array },
  uint32: { bytes: 4, array: Uint32Array },
  int16: { bytes: 2, array: Int16Array },
  uint16: { bytes: 2, array: Uint16Array },
  int8: { bytes: 1, array: Int8Array },
  uint8: { bytes: 1, array: Uint8Array },
  bool: { bytes: 1, array: Uint8Array },
} as const;

export type DType = keyof typeof DTYPES;

/** Any buffer may lie below: `InstanceType` alone would ask for one that is not shared. */
interface Held {
  float64: Float64Array;
  float32: Float32Array;
  float16: Uint16Array;
  bfloat16: Uint16Array;
  float8_e4m3fn: Uint8Array;
  float8_e5m2: Uint8Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
  int32: Int32Array;
  uint32: Uint32Array;
  int16: Int16Array;
  uint16: Uint16Array;
  int8: Int8Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}

/** The typed array that holds elements of type D. */
export type DataOf<D extends DType = DType> = Held[D];

/** Bytes of one element. */
export function bytesPerElement(dtype: DType): number {
  return DTYPES[dtype].bytes;
}

/** True for the types whose elements are (or stand for) real numbers of limited precision. */
export function isFloat(dtype: DType): boolean {
  return dtype.startsWith("float") || dtype === "bfloat16";
}

/** A zeroed array of `length` elements of the type. */
export function allocate<D extends DType>(dtype: D, length: number): DataOf<D> {
  return new DTYPES[dtype].array(length) as DataOf<D>;
}

/**
 * The bytes, seen as elements of the type: a view where the bytes lie aligned, a copy where they do not.
 * The number of bytes is a multiple of the element size; the caller has checked that.
 */
export function viewAs<D extends DType>(dtype: D, bytes: Uint8Array): DataOf<D> {
  const { bytes: size, array } = DTYPES[dtype];
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new array(aligned.buffer as ArrayBuffer, aligned.byteOffset, bytes.byteLength / size) as DataOf<D>;
}
