import { z } from "zod";
import { sha256Hex } from "../../base/digest.ts";
import { FormatError, InternalError } from "../../base/errors.ts";
import { cacheFolder } from "../../base/folder.ts";
import { stableStringify } from "../../base/json.ts";
import { type OpenFile, openFile, textIfPresent } from "../../base/read-file.ts";
import { valueAt } from "../../base/record.ts";
import { writeCacheFile } from "../../base/write-file.ts";
import { bytesPerElement, type DataOf, type DType, isFloat, viewAs } from "./array.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { widenToFloat32 } from "./float-conversion.ts";
import type { StoredArray } from "./stored-array.ts";

/** Part of the name of a cached result: increment when the check changes. */
const VERSION = 1;
/** Bytes read at once; a multiple of every element size. */
const PIECE = 2 ** 22;

const record = z.object({
  /** Null where every element is finite. */
  found: z.object({ tensor: z.string(), element: z.number(), value: z.string() }).nullable(),
});

/** The first element that is NaN or an infinity, 0-based, row-major. */
export type NotFinite = NonNullable<z.infer<typeof record>["found"]>;

/** Floats in a file or in memory. */
export type FloatArray = Pick<StoredArray, "name" | "dtype"> &
  (Pick<StoredArray, "file" | "offset" | "length"> | { readonly data: DataOf });

/**
 * Checks that every float of some arrays is finite, also as float32. Reads all of them once; the result is
 * cached by the digest of the checkpoint.
 *
 * @param names  of the checkpoint's arrays; a strided view is checked with all elements of its span
 * @throws {FormatError} naming the first tensor with a NaN or an infinity
 */
export async function checkFinite(
  checkpoint: Checkpoint,
  names: readonly string[],
  folder: string = cacheFolder("finite"),
): Promise<void> {
  const arrayOf = (name: string) => valueAt(checkpoint.arrays, name);
  const floats = [...new Set(names)].sort().filter((name) => isFloat(arrayOf(name).dtype));
  const found = await cachedSearch(
    { of: await checkpoint.digest(), names: floats },
    () => findNotFinite(floats.map(arrayOf)),
    folder,
  );
  if (found === null) return;
  const { tensor, element, value } = found;
  throw new FormatError(
    { file: arrayOf(tensor).file, tensor },
    `element ${element} is ${value}: every weight must be a finite number`,
    "did the training diverge, or was the checkpoint damaged? Use an earlier one, or download it again",
  );
}

/**
 * Result of a search for an element that is not finite; null if all elements are finite.
 *
 * @param contents  identifies the searched arrays by digest: the key of the cached result
 */
export async function cachedSearch(
  contents: Readonly<Record<string, unknown>>,
  search: () => Promise<NotFinite | null>,
  folder: string = cacheFolder("finite"),
): Promise<NotFinite | null> {
  const path = `${folder}/${sha256Hex(stableStringify({ version: VERSION, ...contents }))}.json`;
  const known = await recall(path);
  if (known !== undefined) return known;
  const found = await search();
  await writeCacheFile(path, JSON.stringify({ found }));
  return found;
}

/**
 * Searches arrays for an element that is not finite as float32, in their order.
 *
 * @param masks  skip arrays of zeros and infinities alone, such as attention masks; default false
 */
export async function findNotFinite(
  arrays: readonly FloatArray[],
  { masks = false }: { readonly masks?: boolean } = {},
): Promise<NotFinite | null> {
  const files = new Map<string, OpenFile>();
  const piecesOf = async function* (array: FloatArray) {
    const { dtype } = array;
    if ("data" in array) {
      yield { at: 0, data: array.data };
      return;
    }
    const { file, offset, length } = array;
    const handle = files.get(file) ?? (await openFile(file));
    files.set(file, handle);
    for (let at = 0; at < length; at += PIECE) {
      const bytes = await handle.read(offset + at, Math.min(PIECE, length - at));
      yield { at: at / bytesPerElement(dtype), data: viewAs(dtype, bytes) };
    }
  };
  const isMask = async (array: FloatArray) => {
    for await (const { data } of piecesOf(array)) {
      const values = widenToFloat32(array.dtype, data);
      if (!values.every((value) => value === 0 || Math.abs(value) === Number.POSITIVE_INFINITY)) return false;
    }
    return true;
  };
  try {
    for (const array of arrays) {
      const { name, dtype } = array;
      for await (const { at, data } of piecesOf(array)) {
        const i = firstNotFinite(dtype, data);
        if (i < 0) continue;
        if (masks && (await isMask(array))) break;
        const value = widenToFloat32(dtype, data.slice(i, i + 1))[0];
        return { tensor: name, element: at + i, value: String(value) };
      }
    }
    return null;
  } finally {
    for (const handle of files.values()) await handle.close();
  }
}

/**
 * Mask of the exponent bits, all of which are set in NaN and infinities; float8_e4m3fn has no infinities and
 * a single NaN.
 */
const EXPONENTS: Partial<Record<DType, readonly [mask: number, all: number]>> = {
  float32: [0x7f800000, 0x7f800000],
  bfloat16: [0x7f80, 0x7f80],
  float16: [0x7c00, 0x7c00],
  float8_e5m2: [0x7c, 0x7c],
  float8_e4m3fn: [0x7f, 0x7f],
};

/** Index of the first element that is not finite as float32; -1 where all are. */
export function firstNotFinite(dtype: DType, data: DataOf): number {
  if (data instanceof Float64Array) return data.findIndex((value) => !Number.isFinite(Math.fround(value)));
  const exponent = EXPONENTS[dtype];
  const bits = bitsOf(data);
  if (exponent === undefined || bits === undefined) throw new InternalError(`${dtype} is not a float`);
  const [mask, all] = exponent;
  for (let i = 0; i < bits.length; i++) if ((bits[i] & mask) === all) return i;
  return -1;
}

function bitsOf(data: DataOf): Uint32Array | Uint16Array | Uint8Array | undefined {
  if (data instanceof Float32Array) return new Uint32Array(data.buffer, data.byteOffset, data.length);
  return data instanceof Uint16Array || data instanceof Uint8Array ? data : undefined;
}

async function recall(path: string): Promise<NotFinite | null | undefined> {
  try {
    return record.parse(JSON.parse((await textIfPresent(path)) ?? "")).found;
  } catch {
    return undefined; // Absent or damaged: the weights are read and the result is written again.
  }
}
