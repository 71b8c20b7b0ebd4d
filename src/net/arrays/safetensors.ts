import { FormatError, InputError, InternalError } from "../../base/errors.ts";
import { isObject, JsonError, parseUniqueJson } from "../../base/json.ts";
import type { OpenFile } from "../../base/read-file.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { bytesPerElement, type DataOf, type DType, elementCount, formatShape } from "./array.ts";
import type { StoredArray } from "./stored-array.ts";

/**
 * Names of the element types in the format. Block-scaled floats of 4, 6 and 8 bits and complex numbers are
 * not supported.
 */
export const SAFETENSORS_TYPES: ReadonlyMap<string, DType> = new Map<string, DType>([
  ["F64", "float64"],
  ["F32", "float32"],
  ["F16", "float16"],
  ["BF16", "bfloat16"],
  ["F8_E4M3", "float8_e4m3fn"],
  ["F8_E5M2", "float8_e5m2"],
  ["I64", "int64"],
  ["U64", "uint64"],
  ["I32", "int32"],
  ["U32", "uint32"],
  ["I16", "int16"],
  ["U16", "uint16"],
  ["I8", "int8"],
  ["U8", "uint8"],
  ["BOOL", "bool"],
]);

/** Limit of the reference implementation. */
const MAX_HEADER_BYTES = 100_000_000;

export interface SafetensorsContents {
  /** In the order of the header. */
  readonly arrays: readonly StoredArray[];
  /** The header's `__metadata__`: free text by name, such as `format`. */
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads the header of a safetensors file: the offsets of its arrays, without their data.
 *
 * Format: 8 bytes, the header's length as a little-endian integer; the header, a JSON object of name → {
 * dtype, shape, data_offsets: [begin, end) } relative to the end of the header; then the data, which the
 * arrays cover without gaps or overlaps up to the last byte.
 *
 * @throws {FormatError} when the file violates any of this
 * @see https://github.com/huggingface/safetensors#format
 */
export async function readSafetensors(file: OpenFile): Promise<SafetensorsContents> {
  const { text, dataStart } = await readHeader(file);
  const header = parseHeader(file.path, text);
  const metadata = new Map<string, string>();
  const arrays: StoredArray[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") {
      for (const [key, value] of metadataEntries(file.path, entry)) metadata.set(key, value);
    } else {
      arrays.push(parseEntry(file, name, entry, dataStart));
    }
  }
  checkCover(file, arrays, dataStart);
  return { arrays, metadata };
}

async function readHeader(file: OpenFile): Promise<{ text: string; dataStart: number }> {
  const { path, size } = file;
  if (size < 10) {
    throw new FormatError(
      { file: path },
      `the file has ${size} bytes, fewer than the smallest safetensors file`,
      CUT,
    );
  }
  const prefix = await file.read(0, 8);
  const length = new DataView(prefix.buffer).getBigUint64(0, true);
  if (length > BigInt(size - 8)) {
    throw new FormatError(
      { file: path },
      `the header should have ${length} bytes, but only ${size - 8} bytes follow`,
      "is the file cut off, or is it not a safetensors file?",
    );
  }
  if (length > MAX_HEADER_BYTES) {
    throw new FormatError(
      { file: path },
      `the header is ${length} bytes long; at most ${MAX_HEADER_BYTES} are read`,
    );
  }
  const bytes = await file.read(8, Number(length));
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), dataStart: 8 + bytes.length };
  } catch (cause) {
    throw new FormatError({ file: path }, "the header is not UTF-8 text", undefined, cause);
  }
}

function parseHeader(file: string, text: string): Record<string, unknown> {
  try {
    const header = text.startsWith("{") ? parseUniqueJson(text) : undefined;
    if (isObject(header)) return header;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new FormatError({ file }, `the header ${error.message}`, undefined, error.cause);
  }
  throw new FormatError({ file }, "the header does not begin with {", CUT);
}

function metadataEntries(file: string, entry: unknown): [string, string][] {
  const pairs = isObject(entry) ? Object.entries(entry) : undefined;
  if (pairs?.every((pair): pair is [string, string] => typeof pair[1] === "string")) return pairs;
  throw new FormatError({ file }, `the header's "__metadata__" is not a list of names and texts`);
}

function parseEntry(file: OpenFile, name: string, entry: unknown, dataStart: number): StoredArray {
  const fail = (message: string, hint?: string): never => {
    throw new FormatError({ file: file.path, tensor: name }, message, hint);
  };
  if (!isObject(entry)) return fail("the header's entry is not an object with dtype, shape and data_offsets");
  const dtype = typeof entry.dtype === "string" ? SAFETENSORS_TYPES.get(entry.dtype) : undefined;
  if (dtype === undefined) {
    return fail(
      `has the type ${short(entry.dtype)}; expected one of ${[...SAFETENSORS_TYPES.keys()].join(", ")}`,
      "convert the checkpoint to F32 or BF16 with the library that wrote it",
    );
  }
  const shape = entry.shape;
  if (!isCounts(shape)) return fail(`has the shape ${short(shape)}; expected whole numbers from 0 up`);
  const needed = elementCount(shape) * bytesPerElement(dtype);
  if (!Number.isSafeInteger(needed)) return fail(`has an impossibly large shape ${formatShape(shape)}`);
  const offsets = entry.data_offsets;
  if (!isCounts(offsets) || offsets.length !== 2) {
    return fail(`has the data offsets ${short(offsets)}; expected [begin, end]`);
  }
  const [begin, end] = offsets;
  const available = file.size - dataStart;
  if (end < begin) return fail(`has the data offsets [${begin}, ${end}], which run backwards`);
  if (end > available) {
    return fail(`ends at byte ${end} of the data, but the file has only ${available} bytes of data`, CUT);
  }
  if (end - begin !== needed) {
    return fail(`has ${end - begin} bytes, but its shape ${formatShape(shape)} in ${dtype} takes ${needed}`);
  }
  return { name, dtype, shape, file: file.realPath, offset: dataStart + begin, length: needed };
}

function checkCover(file: OpenFile, arrays: readonly StoredArray[], dataStart: number) {
  let covered = dataStart;
  for (const { name, offset, length } of arrays.toSorted(
    (a, b) => a.offset - b.offset || a.length - b.length,
  )) {
    if (offset !== covered) {
      const what = offset < covered ? "overlaps another tensor" : "follows a gap that no tensor covers";
      throw new FormatError(
        { file: file.path, tensor: name },
        `its data at byte ${offset - dataStart} ${what}`,
      );
    }
    covered = offset + length;
  }
  if (covered !== file.size) {
    throw new FormatError({ file: file.path }, `${file.size - covered} bytes at the end belong to no tensor`);
  }
}

const CUT = "is the file cut off? Compare its size with the source's";

/** A header value, which may be anything, shortened for a message. */
function short(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);

/**
 * An array to write. `data` may be a function, called when the array is due, so that only one array is in
 * memory at a time.
 */
export interface ArrayToWrite {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The values, or a function that reads them when the array is written. */
  readonly data: DataOf | (() => Promise<DataOf>);
}

/**
 * Writes a safetensors file atomically. As in the reference implementation the widest types come first, and
 * names are sorted within a type, so that every array is aligned and equal contents give equal bytes.
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
    if (names.has(name))
      throw new InputError("the name is used twice or reserved", { place: { file: path, tensor: name } });
    names.add(name);
  }
}

/** The header's length, the header, and spaces up to a multiple of 8 bytes. */
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

/** A single write takes at most 2^31 − 1 bytes. */
function* pieces({ buffer, byteOffset, byteLength }: DataOf): Generator<Uint8Array> {
  const largest = 2 ** 26;
  for (let at = 0; at < byteLength; at += largest) {
    yield new Uint8Array(buffer, byteOffset + at, Math.min(largest, byteLength - at));
  }
}
