import { bytesPerElement, type DType, isFloat } from "./dtype.ts";

/**
 * The place of one named array inside a checkpoint file. Nothing of its data has been read; that the place lies inside
 * the file and fits the shape has been checked when the checkpoint was opened.
 */
export interface StoredArray {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Real path: links are resolved, since hub caches link into a folder of blobs. */
  readonly file: string;
  /** First byte of the data in the file. */
  readonly offset: number;
  /** Bytes in the file: of the elements, or for a strided array of the span that holds them. */
  readonly length: number;
  /**
   * Elements to step per axis. Present only where the elements do not lie in row-major order, as in a transposed
   * PyTorch view: such an array must be copied before a program can use it (see `needsCopy`).
   */
  readonly strides?: readonly number[];
}

/**
 * Why a program that computes in float32 cannot use the bytes where they lie in the file; undefined when it can.
 * Integers and bool are used in their own type.
 */
export function needsCopy({ dtype, strides, offset }: StoredArray): string | undefined {
  const size = bytesPerElement(dtype);
  if (strides !== undefined) return "its elements are not in row-major order";
  if (isFloat(dtype) && dtype !== "float32") return `its type is ${dtype}, not float32`;
  if (offset % size !== 0) return `its data starts at byte ${offset}, which is not a multiple of ${size}`;
  return undefined;
}
