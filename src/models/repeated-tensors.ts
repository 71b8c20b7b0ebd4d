import { FormatError } from "../base/errors.ts";
import type { Checkpoint } from "../net/arrays/checkpoint.ts";
import type { StoredArray } from "../net/arrays/stored-array.ts";
import type { DeclaredTensor } from "./parameters.ts";

/** Bytes compared at once. */
const PIECE = 2 ** 24;

/**
 * Checks that a tensor which a checkpoint stores under several names has the same values under each: a model ties them,
 * and which of them a loader takes must not matter. Names that share one place in the file need no reading.
 *
 * @throws {FormatError} naming the first row that differs
 */
export async function checkRepeatedTensors(
  declared: Iterable<DeclaredTensor>,
  checkpoint: Checkpoint,
): Promise<void> {
  for (const { name, aliases } of declared) {
    const [first, ...others] = [name, ...aliases].flatMap((each) => checkpoint.arrays.get(each) ?? []);
    for (const other of others) {
      if (!samePlace(first!, other)) await checkEqual(first!, other, checkpoint);
    }
  }
}

const samePlace = (a: StoredArray, b: StoredArray) =>
  a.file === b.file && a.offset === b.offset && a.length === b.length;

async function checkEqual(a: StoredArray, b: StoredArray, checkpoint: Checkpoint): Promise<void> {
  const different = (where: string) =>
    new FormatError(
      { file: b.file, tensor: b.name },
      `differs from ${a.name}${where}, though the model has one tensor for both`,
      "were the weights changed under one of the names only?",
    );
  if (String(a.shape) !== String(b.shape)) throw different(" in shape");
  const rows = a.shape.find((length) => length !== 1) ?? 1;
  const step = Math.max(1, Math.floor(PIECE / Math.max(1, a.length / rows)));
  for (let start = 0; start < rows; start += step) {
    const range = [start, Math.min(start + step, rows)] as const;
    const [x, y] = await Promise.all([a, b].map(({ name }) => checkpoint.read(name, { rows: range })));
    const at = (x!.data as Float32Array).findIndex((value, i) => !Object.is(value, y!.data[i]));
    if (at >= 0) throw different(` in row ${start + Math.floor((at * (range[1] - start)) / x!.data.length)}`);
  }
}
