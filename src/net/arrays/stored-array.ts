import { FormatError, InputError } from "../../base/errors.ts";
import type { OpenFile } from "../../base/read-file.ts";
import {
  allocate,
  bytesPerElement,
  type DataOf,
  type DType,
  elementCount,
  formatShape,
  isFloat,
  type NdArray,
  ndArray,
  viewAs,
} from "./array.ts";
import { widenToFloat32 } from "./float-conversion.ts";

/**
 * Location of a named array in a checkpoint file. Its data has not been read; opening the checkpoint has
 * checked that the range is inside the file and matches the shape.
 */
export interface StoredArray {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Real path, links resolved: hub caches link into a folder of blobs. */
  readonly file: string;
  /** First byte of the data in the file. */
  readonly offset: number;
  /** Number of bytes in the file: of the elements, or of the span of a strided array. */
  readonly length: number;
  /**
   * Elements to step per axis. Present only for arrays that are not row-major, such as a transposed PyTorch
   * view, which must be copied before a program can use them (see `needsCopy`).
   */
  readonly strides?: readonly number[];
}

/** Float types that programs read from files: the 16-bit types become float32 exactly. */
const READABLE_FLOATS: readonly DType[] = ["float32", "bfloat16", "float16"];

/**
 * Reason why a program cannot use the bytes of the file directly; undefined when it can. Integers and bool
 * are used in their own type.
 */
export function needsCopy({ dtype, strides, offset }: StoredArray): string | undefined {
  const size = bytesPerElement(dtype);
  if (strides !== undefined) return "its elements are not in row-major order";
  if (isFloat(dtype) && !READABLE_FLOATS.includes(dtype)) {
    return `its type is ${dtype}, not ${READABLE_FLOATS.join(", ")}`;
  }
  if (offset % size !== 0) return `its data starts at byte ${offset}, which is not a multiple of ${size}`;
  return undefined;
}

/** Largest expanded size of a view that repeats its elements; no checkpoint of a model has one. */
const MAX_REPETITION = 2 ** 26;

/** Reads an array in its stored type, row-major. */
export async function readStored(file: OpenFile, stored: StoredArray): Promise<NdArray> {
  const { dtype, shape, strides, offset, length } = stored;
  if (strides !== undefined) checkRepetition(file.path, stored, strides);
  const data = viewAs(dtype, await file.read(offset, length));
  if (strides === undefined) return ndArray(dtype, shape, data);
  const ordered = allocate(dtype, elementCount(shape));
  copyStrided(data, strides, ordered, shape);
  return ndArray(dtype, shape, ordered);
}

/** `readStored`, with floats of any precision converted to float32. */
export async function readWidened(file: OpenFile, stored: StoredArray): Promise<NdArray> {
  const array = await readStored(file, stored);
  return isFloat(array.dtype)
    ? ndArray("float32", array.shape, widenToFloat32(array.dtype, array.data))
    : array;
}

function checkRepetition(file: string, { name, shape, dtype }: StoredArray, strides: readonly number[]) {
  const count = elementCount(shape);
  const span = spanOf(shape, strides);
  if (count > span && count * bytesPerElement(dtype) > MAX_REPETITION) {
    throw new FormatError(
      { file, tensor: name },
      `its shape ${formatShape(shape)} repeats ${span} stored elements to ${count}`,
      "save it again after tensor.contiguous()",
    );
  }
}

/**
 * Copies element [i, j, ...] from `from[i·strides[0] + j·strides[1] + ...]` to its row-major position in
 * `to`.
 */
function copyStrided(from: DataOf, strides: readonly number[], to: DataOf, shape: readonly number[]) {
  const steps = rowMajorStrides(shape);
  const last = shape.length - 1;
  const copyAxis = (axis: number, source: number, target: number) => {
    const length = shape[axis];
    const stride = strides[axis];
    if (axis === last) {
      for (let i = 0; i < length; i++) to[target + i] = from[source + i * stride];
      return;
    }
    for (let i = 0; i < length; i++) copyAxis(axis + 1, source + i * stride, target + i * steps[axis]);
  };
  copyAxis(0, 0, 0);
}

/** Rows [start, end), 0-based, half-open. */
export type Rows = readonly [start: number, end: number];

/**
 * Location of some rows of a stored array. Rows run along the first axis longer than 1, so [1, 1, 32000, 768]
 * has 32000 rows; an array whose axes are all 1 has one row, along its last axis.
 *
 * @returns the location of an array of the same rank, with end − start rows
 * @throws {InputError} for a scalar, and for rows out of range
 */
export function placeOfRows(stored: StoredArray, [start, end]: Rows): StoredArray {
  const { name, file, shape, dtype } = stored;
  const long = shape.findIndex((length) => length !== 1);
  const axis = long === -1 ? shape.length - 1 : long;
  const fail = (message: string): never => {
    throw new InputError(message, { place: { file, tensor: name } });
  };
  if (axis === -1) return fail("a single number has no rows");
  const rows = shape[axis];
  const inside =
    Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= rows;
  if (!inside)
    return fail(`rows [${start}, ${end}) are out of range; the shape ${formatShape(shape)} has ${rows}`);

  const part = { ...stored, shape: shape.with(axis, end - start) };
  const size = bytesPerElement(dtype);
  if (stored.strides === undefined) {
    const rowBytes = elementCount(shape.slice(axis + 1)) * size;
    return { ...part, offset: stored.offset + start * rowBytes, length: (end - start) * rowBytes };
  }
  return {
    ...part,
    offset: stored.offset + start * stored.strides[axis] * size,
    length: spanOf(part.shape, stored.strides) * size,
  };
}

/**
 * Number of elements from the first to the last one, inclusive, of an array with these strides; 0 for an
 * empty array.
 */
export function spanOf(shape: readonly number[], strides: readonly number[]): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((span, length, axis) => span + (length - 1) * strides[axis], 1);
}

/** Strides, in elements, of a row-major array: [h·w, w, 1] for [n, h, w]. */
function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis];
  }
  return strides;
}

/**
 * True when elements with these strides are in row-major order. Axes of length 1 may have any stride, and so
 * may empty arrays.
 */
export function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  if (shape.includes(0)) return true;
  const expected = rowMajorStrides(shape);
  return shape.every((length, axis) => length === 1 || strides[axis] === expected[axis]);
}
