import { pipeline, Readable } from "node:stream";
import { createInflateRaw } from "node:zlib";
import { dataView } from "./byte-cursor.ts";
import { FormatError } from "./errors.ts";
import { quotedText } from "./message-text.ts";
import type { OpenFile } from "./read-file.ts";

/** A file inside a zip archive. */
export interface ZipEntry {
  readonly name: string;
  readonly size: number;
  /** True without compression, when the data can be used in place. */
  readonly isStored: boolean;
  /** Method 8, deflate. */
  readonly isDeflated: boolean;
  /** Size of the data in the archive. */
  readonly compressedSize: number;
  /** Offset of the entry's local header; `dataOffset` finds the data after it. */
  readonly headerOffset: number;
}

const END_BYTES = 22;
const ZIP64_LOCATOR_BYTES = 20;
const ZIP64_END_BYTES = 56;
const ENTRY_BYTES = 46;
const LOCAL_HEADER_BYTES = 30;
const MAX_COMMENT_LENGTH = 0xffff;
const MAX_DIRECTORY_BYTES = 256 * 2 ** 20;

const IN_32_BITS = 0xffff_ffff;
const IN_16_BITS = 0xffff;
const ENCRYPTED = 1;

/**
 * Reads the central directory of a zip archive, zip64 included.
 *
 * @throws {FormatError} for a damaged archive, and for entries that are encrypted or named twice
 * @see APPNOTE.TXT, PKWARE Inc., sections 4.3 and 4.5.3
 */
export async function readZipDirectory(file: OpenFile): Promise<ReadonlyMap<string, ZipEntry>> {
  const { count, offset, size } = await findDirectory(file);
  if (size > MAX_DIRECTORY_BYTES || count * ENTRY_BYTES > size) {
    fail(file, `the zip archive's directory has ${count} entries in ${size} bytes, which is impossible`);
  }
  const bytes = await file.read(offset, size);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    const { entry, next } = readEntry(file, bytes, at);
    if (entries.has(entry.name)) fail(file, `the zip archive has two entries ${quotedText(entry.name)}`);
    if (entry.headerOffset + LOCAL_HEADER_BYTES + (entry.isStored ? entry.size : 0) > offset) {
      fail(file, `the zip entry ${quotedText(entry.name)} does not fit before the directory`);
    }
    entries.set(entry.name, entry);
    at = next;
  }
  return entries;
}

/**
 * Offset of the data of an entry without compression.
 *
 * @param hint  advice for a compressed entry
 * @throws {FormatError} when the entry is compressed, or its local header is damaged or belongs to another
 *                       entry
 */
export async function dataOffset(file: OpenFile, entry: ZipEntry, hint?: string): Promise<number> {
  if (entry.isStored) return offsetOf(file, entry);
  const named = quotedText(entry.name);
  return fail(file, `the zip entry ${named} is compressed; expected one without compression`, hint);
}

/** Bytes read from an archive at once. */
const CHUNK_BYTES = 2 ** 20;

/**
 * Contents of an entry, decompressed. The checksum of the archive is not verified.
 *
 * @throws {FormatError} when the data is damaged, has another size than declared, or uses another compression
 *                       than deflate
 */
export async function* entryContents(file: OpenFile, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  const named = quotedText(entry.name);
  if (!entry.isStored && !entry.isDeflated) {
    fail(file, `the zip entry ${named} is compressed in another way than deflate`);
  }
  const offset = await offsetOf(file, entry);
  const end = offset + entry.compressedSize;
  async function* packed() {
    for (let at = offset; at < end; at += CHUNK_BYTES)
      yield await file.read(at, Math.min(CHUNK_BYTES, end - at));
  }
  let size = 0;
  try {
    // Errors of the pipeline reach the loop through its last stream.
    const contents: AsyncIterable<Uint8Array> = entry.isStored
      ? packed()
      : pipeline(Readable.from(packed()), createInflateRaw(), () => {});
    for await (const piece of contents) {
      size += piece.length;
      if (size > entry.size) break;
      yield piece;
    }
  } catch (cause) {
    if (!(cause instanceof Error) || !("code" in cause) || !String(cause.code).startsWith("Z_")) throw cause;
    throw new FormatError({ file: file.path }, `the zip entry ${named} is damaged`, CUT, cause);
  }
  if (size !== entry.size) {
    fail(
      file,
      `the zip entry ${named} has ${size > entry.size ? "more" : "fewer"} bytes than its ${entry.size}`,
    );
  }
}

/** Offset of an entry's data in the file. */
async function offsetOf(file: OpenFile, entry: ZipEntry): Promise<number> {
  const name = new TextEncoder().encode(entry.name);
  const header = await file.read(entry.headerOffset, LOCAL_HEADER_BYTES + name.length);
  const view = dataView(header);
  const sameName = name.every((byte, i) => header[LOCAL_HEADER_BYTES + i] === byte);
  if (view.getUint32(0, true) !== 0x04034b50 || view.getUint16(26, true) !== name.length || !sameName) {
    fail(file, `the zip entry ${quotedText(entry.name)} has a damaged header`);
  }
  const offset = entry.headerOffset + LOCAL_HEADER_BYTES + name.length + view.getUint16(28, true);
  if (offset + entry.compressedSize > file.size)
    fail(file, `the zip entry ${quotedText(entry.name)} is cut off`);
  return offset;
}

interface Directory {
  readonly count: number;
  readonly offset: number;
  readonly size: number;
}

/** Section 4.3.16: the end record is at the end, before a comment of up to 65,535 bytes. */
async function findDirectory(file: OpenFile): Promise<Directory> {
  const tailLength = Math.min(file.size, END_BYTES + MAX_COMMENT_LENGTH);
  const tailStart = file.size - tailLength;
  const view = dataView(await file.read(tailStart, tailLength));
  for (let at = tailLength - END_BYTES; at >= 0; at--) {
    const isEnd = view.getUint32(at, true) === 0x06054b50;
    if (!isEnd || at + END_BYTES + view.getUint16(at + 20, true) !== tailLength) continue;
    const directory = {
      count: view.getUint16(at + 10, true),
      size: view.getUint32(at + 12, true),
      offset: view.getUint32(at + 16, true),
    };
    const isZip64 =
      directory.count === IN_16_BITS || directory.size === IN_32_BITS || directory.offset === IN_32_BITS;
    const found = (isZip64 ? await findZip64Directory(file, tailStart + at) : undefined) ?? directory;
    if (view.getUint16(at + 4, true) !== view.getUint16(at + 6, true))
      fail(file, "multi-part zip archives are not supported");
    if (found.offset + found.size > tailStart + at) fail(file, "the zip archive's directory is cut off", CUT);
    return found;
  }
  return fail(file, "the zip archive has no directory at its end", CUT);
}

/** Sections 4.3.14 and 4.3.15; undefined for an archive that has exactly 65,535 entries. */
async function findZip64Directory(file: OpenFile, endOffset: number): Promise<Directory | undefined> {
  const locatorOffset = endOffset - ZIP64_LOCATOR_BYTES;
  if (locatorOffset < 0) return undefined;
  const locator = dataView(await file.read(locatorOffset, ZIP64_LOCATOR_BYTES));
  if (locator.getUint32(0, true) !== 0x07064b50) return undefined;
  const recordOffset = wide(file, locator, 8);
  if (recordOffset + ZIP64_END_BYTES > locatorOffset)
    fail(file, "the zip archive's zip64 record is out of place");
  const record = dataView(await file.read(recordOffset, ZIP64_END_BYTES));
  if (record.getUint32(0, true) !== 0x06064b50) fail(file, "the zip archive's zip64 record is damaged");
  return { count: wide(file, record, 32), size: wide(file, record, 40), offset: wide(file, record, 48) };
}

function readEntry(file: OpenFile, bytes: Uint8Array, at: number): { entry: ZipEntry; next: number } {
  const view = dataView(bytes);
  if (at + ENTRY_BYTES > bytes.length || view.getUint32(at, true) !== 0x02014b50) {
    fail(file, "the zip archive's directory is damaged");
  }
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  const nameEnd = at + ENTRY_BYTES + view.getUint16(at + 28, true);
  const extraEnd = nameEnd + view.getUint16(at + 30, true);
  const next = extraEnd + view.getUint16(at + 32, true);
  if (next > bytes.length) fail(file, "the zip archive's directory is damaged");
  const name = decodeName(file, bytes.subarray(at + ENTRY_BYTES, nameEnd));
  const sizes = {
    size: view.getUint32(at + 24, true),
    compressed: view.getUint32(at + 20, true),
    headerOffset: view.getUint32(at + 42, true),
  };
  readZip64Sizes(file, view, nameEnd, extraEnd, sizes);
  if ((flags & ENCRYPTED) !== 0) fail(file, `the zip entry ${quotedText(name)} is encrypted`);
  const { size, compressed: compressedSize, headerOffset } = sizes;
  const isStored = method === 0 && compressedSize === size;
  const isDeflated = method === 8;
  return { entry: { name, size, isStored, isDeflated, compressedSize, headerOffset }, next };
}

/** Section 4.5.3: values that do not fit into 32 bits, in this order. */
function readZip64Sizes(
  file: OpenFile,
  view: DataView,
  start: number,
  end: number,
  sizes: { size: number; compressed: number; headerOffset: number },
) {
  let field = start;
  while (field + 4 <= end) {
    const id = view.getUint16(field, true);
    const fieldEnd = field + 4 + view.getUint16(field + 2, true);
    if (id === 1) {
      let at = field + 4;
      for (const key of ["size", "compressed", "headerOffset"] as const) {
        if (sizes[key] !== IN_32_BITS) continue;
        if (at + 8 > Math.min(fieldEnd, end)) fail(file, "the zip archive's zip64 sizes are damaged");
        // A decompressed entry can be larger than the archive.
        sizes[key] = key === "size" ? uint64(file, view, at) : wide(file, view, at);
        at += 8;
      }
    }
    field = fieldEnd;
  }
}

function uint64(file: OpenFile, view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  return Number.isSafeInteger(value)
    ? value
    : fail(file, `the zip archive declares an entry of ${value} bytes, which is impossible`);
}

/** An offset in the archive, or a size of a part of it. */
function wide(file: OpenFile, view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  return value <= file.size
    ? value
    : fail(file, `the zip archive refers to byte ${value}, beyond the end of the file`, CUT);
}

function decodeName(file: OpenFile, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(
      { file: file.path },
      "a name in the zip archive is not UTF-8 text",
      undefined,
      cause,
    );
  }
}

const CUT = "is the file cut off? Compare its size with the source's";

function fail(file: OpenFile, message: string, hint?: string): never {
  throw new FormatError({ file: file.path }, message, hint);
}
