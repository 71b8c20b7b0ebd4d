import { InputError, InternalError } from "../../base/errors.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { elementCount, formatShape } from "./array.ts";
import { bytesPerElement, type DataOf, type DType } from "./dtype.ts";
import { SAFETENSORS_TYPES } from "./safetensors.ts";

/** An array to be written. `data` may be a function, asked when the array's turn comes, so that only one is in memory. */
export interface ArrayToWrite {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: DataOf | (() => Promise<DataOf>);
}

/**
 * Writes a safetensors file, whole or not at all. As in the reference implementation the widest types come first, and
 * names are sorted within a type, so that every array lies aligned and equal contents give equal bytes.
 *
 * @param metadata  free text by name, such as `{ format: "pt" }`
 * @throws {InputError} when a name is given twice or is "__metadata__", or the file cannot be written
 * @see https://github.com/huggingface/safetensors#format
 */
export async function writeSafetensors(
  path: string,
  arrays: readonly ArrayToWrite[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const ordered = arrays.toSorted(
    (a, b) => bytesPerElement(b.dtype) - bytesPerElement(a.dtype) || (a.name < b.name ? -1 : 1),
  );
  checkNames(path, ordered);
  const header = headerBytes(ordered, metadata);
  await writeFileAtomic(
    path,
    (async function* () {
      yield header;
      for (const array of ordered) yield* pieces(await dataOf(array));
    })(),
  );
}

function checkNames(path: string, arrays: readonly ArrayToWrite[]) {
  const names = new Set(["__metadata__"]);
  for (const { name } of arrays) {
    if (names.has(name)) throw new InputError("the name is taken", { place: { file: path, tensor: name } });
    names.add(name);
  }
}

/** The header's length, the header, and spaces up to a multiple of 8. */
function headerBytes(
  arrays: readonly ArrayToWrite[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  let at = 0;
  const entries: [string, unknown][] = arrays.map(({ name, dtype, shape }) => {
    const begin = at;
    at += elementCount(shape) * bytesPerElement(dtype);
    return [name, { dtype: FORMAT_NAMES.get(dtype), shape, data_offsets: [begin, at] }];
  });
  if (Object.keys(metadata).length > 0) entries.unshift(["__metadata__", metadata]);
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const length = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + length).fill(" ".charCodeAt(0));
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text, 8);
  return bytes;
}

const FORMAT_NAMES = new Map([...SAFETENSORS_TYPES].map(([name, dtype]) => [dtype, name]));

async function dataOf({ name, shape, data }: ArrayToWrite): Promise<DataOf> {
  const values = typeof data === "function" ? await data() : data;
  if (values.length !== elementCount(shape)) {
    throw new InternalError(
      `${name} has ${values.length} elements, which do not fill its shape ${formatShape(shape)}`,
    );
  }
  return values;
}

/** A write takes at most 2^31 - 1 bytes at once. */
function* pieces({ buffer, byteOffset, byteLength }: DataOf): Generator<Uint8Array> {
  const largest = 2 ** 26;
  for (let at = 0; at < byteLength; at += largest) {
    yield new Uint8Array(buffer, byteOffset + at, Math.min(largest, byteLength - at));
  }
}
