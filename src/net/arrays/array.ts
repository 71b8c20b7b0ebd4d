import { InputError, InternalError } from "../../base/errors.ts";

/**
 * An n-dimensional array in memory, row-major (the last axis is contiguous), as NumPy's C order.
 *
 * `shape` is empty for a scalar, which has one element. An axis of length 0 makes an empty array.
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
 * An array of the given type and shape.
 *
 * @throws {InputError} when the number of elements does not match the shape
 */
export function ndArray<D extends DType>(dtype: D, shape: readonly number[], data: DataOf<D>): NdArray<D> {
  if (data.length !== elementCount(shape)) {
    throw new InputError(`${data.length} elements do not match the shape ${formatShape(shape)}`);
  }
  return { dtype, shape, data };
}

/** A shape as PyTorch and NumPy print it: `[768, 64]`. */
export function formatShape(shape: readonly (number | string)[]): string {
  return `[${shape.join(", ")}]`;
}

/**
 * Element types of checkpoints by their NumPy and PyTorch names, with their size on disk in bytes and their
 * typed array in memory. All are little-endian.
 *
 * JavaScript has no 16- or 8-bit floats: these types are stored as their bits (`float-conversion.ts` converts
 * them to float32). `bool` is one byte, 0 or 1.
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

/** An element type, by its NumPy/PyTorch name. */
export type DType = keyof typeof DTYPES;

/** Typed arrays over any buffer; `InstanceType` of the constructors would exclude shared buffers. */
interface TypedArrays {
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

/** Typed array of elements of type D. */
export type DataOf<D extends DType = DType> = TypedArrays[D];

/** Narrows an array to an element type. */
export function hasDType<D extends DType>(array: NdArray, dtype: D): array is NdArray<D> {
  return array.dtype === dtype;
}

/**
 * Data of an array whose element type follows from the program.
 *
 * @throws {InternalError} when the array has another type
 */
export function dataOf<D extends DType>(array: NdArray, dtype: D): DataOf<D> {
  if (hasDType(array, dtype)) return array.data;
  throw new InternalError(`an array is ${array.dtype}; expected ${dtype}`);
}

/** Bytes of one element. */
export function bytesPerElement(dtype: DType): number {
  return DTYPES[dtype].bytes;
}

/** True for floating-point types of any precision. */
export function isFloat(dtype: DType): boolean {
  return dtype.startsWith("float") || dtype === "bfloat16";
}

/** A zeroed typed array. */
export function allocate<D extends DType>(dtype: D, length: number): DataOf<D> {
  return new DTYPES[dtype].array(length) as DataOf<D>;
}

/**
 * Bytes as elements of a type: a view where they are aligned, else a copy. The number of bytes must be a
 * multiple of the element size.
 */
export function viewAs<D extends DType>(dtype: D, bytes: Uint8Array): DataOf<D> {
  const { bytes: size, array } = DTYPES[dtype];
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new array(aligned.buffer as ArrayBuffer, aligned.byteOffset, bytes.byteLength / size) as DataOf<D>;
}
