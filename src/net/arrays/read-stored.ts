import { FormatError } from "../../base/errors.ts";
import type { OpenFile } from "../../base/read-file.ts";
import { elementCount, formatShape, type NdArray, ndArray } from "./array.ts";
import { allocate, bytesPerElement, type DataOf, isFloat, viewAs } from "./dtype.ts";
import { rowMajorStrides, spanOf } from "./rows.ts";
import type { StoredArray } from "./stored-array.ts";
import { widenToFloat32 } from "./widen.ts";

/** A view that repeats its elements may become this large when it is written out; no checkpoint of a model has one. */
const LARGEST_REPETITION = 2 ** 26;

/** Reads an array from its place, in the type it is stored in, row-major. */
export async function readStored(file: OpenFile, stored: StoredArray): Promise<NdArray> {
  const { dtype, shape, strides, offset, length } = stored;
  if (strides !== undefined) checkRepetition(file.path, stored, strides);
  const data = viewAs(dtype, await file.read(offset, length));
  if (strides === undefined) return ndArray(dtype, shape, data);
  const ordered = allocate(dtype, elementCount(shape));
  copyStrided(data, strides, ordered, shape);
  return ndArray(dtype, shape, ordered);
}

/** `readStored`, with floats of any precision as float32; integers and bool stay what they are. */
export async function readWidened(file: OpenFile, stored: StoredArray): Promise<NdArray> {
  const array = await readStored(file, stored);
  return isFloat(array.dtype)
    ? ndArray("float32", array.shape, widenToFloat32(array.dtype, array.data))
    : array;
}

function checkRepetition(file: string, { name, shape, dtype }: StoredArray, strides: readonly number[]) {
  const count = elementCount(shape);
  const span = spanOf(shape, strides);
  if (count > span && count * bytesPerElement(dtype) > LARGEST_REPETITION) {
    throw new FormatError(
      { file, tensor: name },
      `its shape ${formatShape(shape)} repeats ${span} stored elements ${count} times over`,
      "save it again after tensor.contiguous()",
    );
  }
}

/** Copies element [i, j, ...] from `from[i·strides[0] + j·strides[1] + ...]` to its row-major position in `to`. */
function copyStrided(from: DataOf, strides: readonly number[], to: DataOf, shape: readonly number[]) {
  const steps = rowMajorStrides(shape);
  const last = shape.length - 1;
  const copyAxis = (axis: number, source: number, target: number) => {
    const length = shape[axis]!;
    const stride = strides[axis]!;
    if (axis === last) {
      for (let i = 0; i < length; i++) to[target + i] = from[source + i * stride]!;
      return;
    }
    for (let i = 0; i < length; i++) copyAxis(axis + 1, source + i * stride, target + i * steps[axis]!);
  };
  copyAxis(0, 0, 0);
}
