import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { firstIndex } from "../../base/binary-search.ts";
import { dataView } from "../../base/byte-cursor.ts";
import { FormatError } from "../../base/errors.ts";
import { isGzip } from "../../base/gzip.ts";
import type { OpenFile } from "../../base/read-file.ts";

// BGZF: gzip in blocks of at most 64 KiB, each with its size in an extra field BC (SAM specification, section
// 4.1, https://samtools.github.io/hts-specs/SAMv1.pdf).

const HEADER_BYTES = 18;
/** Compressed bytes per read of a whole file. */
const READ_BYTES = 2 ** 22;
/** Maximum uncompressed bytes of a block. */
const MAX_BLOCK_TEXT = 2 ** 16;
/** Uncompressed bytes per read of a whole file: 4 MiB of blocks can expand to gigabytes. */
const READ_TEXT = 2 ** 26;
/** Compressed bytes to read for the last block of an index, including empty blocks before it. */
const LAST_BLOCK_BYTES = 2 ** 17;
/** Maximum blocks per random access. */
const MAX_BLOCKS = 128;

/** Compressed size of the bgzip block at `offset`; undefined if there is none. */
export function blockLength(bytes: Uint8Array, offset = 0): number | undefined {
  const b = bytes.subarray(offset, offset + HEADER_BYTES);
  const isBlock =
    b.length === HEADER_BYTES && isGzip(b) && b[2] === 8 && b[3] === 4 && b[12] === 66 && b[13] === 67;
  return isBlock && b[14] === 2 && b[15] === 0 ? b[16] + 256 * b[17] + 1 : undefined;
}

/** Offset of a block in the compressed file and in the uncompressed text. */
export type BlockStart = readonly [compressed: number, uncompressed: number];

/**
 * Decompresses a bgzip file: passes the text to `visit` in chunks and returns the offsets of its blocks.
 * @throws {FormatError} when a block is truncated or fails its CRC-32
 */
export async function readBgzip(file: OpenFile, visit: (text: Uint8Array) => void): Promise<BlockStart[]> {
  const starts: BlockStart[] = [];
  let compressed = 0;
  let uncompressed = 0;
  while (compressed < file.size) {
    const bytes = await file.read(compressed, Math.min(READ_BYTES, file.size - compressed));
    const whole = wholeBlocks(file.path, bytes, compressed, READ_TEXT);
    if (whole.blocks.length === 0) {
      throw damaged(file.path, `no complete bgzip block at byte ${compressed}`);
    }
    for (const { start, text } of whole.blocks) {
      if (text > 0) starts.push([compressed + start, uncompressed]);
      uncompressed += text;
    }
    visit(await decompressed(file.path, bytes, compressed, whole));
    compressed += whole.length;
  }
  return starts;
}

/** Reads uncompressed bytes at a position; fewer than requested at the end of the text. */
export type ReadText = (position: number, length: number) => Promise<Uint8Array>;

/**
 * Random access to the text of a bgzip file by its block index. Caches the blocks of the last access.
 *
 * @param starts  offsets of the blocks, from `parseGzi`
 * @throws {FormatError} when a block fails its CRC-32, or the blocks do not match the index
 */
export function bgzipText(file: OpenFile, starts: readonly BlockStart[]): ReadText {
  let cached: { from: number; text: Uint8Array } = { from: 0, text: new Uint8Array() };
  return async (position, length) => {
    const end = position + length;
    const parts: Uint8Array[] = [];
    for (let at = position; at < end; ) {
      if (at < cached.from || at >= cached.from + cached.text.length)
        cached = await readBlocks(file, starts, at, end);
      const part = cached.text.subarray(at - cached.from, end - cached.from);
      if (part.length === 0) break;
      parts.push(part);
      at += part.length;
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts);
  };
}

/** Reads the blocks of the text [from, to), at most `MAX_BLOCKS`. */
async function readBlocks(file: OpenFile, starts: readonly BlockStart[], from: number, to: number) {
  const first = blockOf(starts, from);
  const next = Math.min(blockOf(starts, to - 1), first + MAX_BLOCKS) + 1;
  const [start, textStart] = starts[first];
  const isLast = next === starts.length;
  // The size of the last block is unknown: read until it has some text.
  const [end, textEnd] = isLast
    ? [Math.min(starts[next - 1][0] + LAST_BLOCK_BYTES, file.size), starts[next - 1][1] + 1]
    : starts[next];
  const bytes = await file.read(start, end - start);
  const whole = wholeBlocks(file.path, bytes, start, textEnd - textStart);
  const atEnd = isLast && (whole.text >= textEnd - textStart || start + whole.length === file.size);
  if (!atEnd && whole.text !== textEnd - textStart) {
    throw new FormatError(
      { file: file.path },
      `the file is damaged at byte ${start + whole.length}, or does not match its index`,
      `run gzip -t; if the file is intact, delete ${file.path}.gzi and it will be created again`,
    );
  }
  return { from: textStart, text: await decompressed(file.path, bytes, start, whole) };
}

/** Consecutive complete blocks at the start of a buffer: their offsets and uncompressed sizes. */
interface WholeBlocks {
  readonly blocks: readonly { readonly start: number; readonly text: number }[];
  /** Total compressed and uncompressed bytes. */
  readonly length: number;
  readonly text: number;
}

/**
 * Complete blocks at the start of a buffer, up to `text` uncompressed bytes. Checks the declared sizes, which
 * determine the allocation of the decompressor.
 *
 * @param offset  offset of the buffer in the file, for messages
 * @throws {FormatError} when a block declares more text than the format allows
 */
function wholeBlocks(path: string, bytes: Uint8Array, offset: number, text: number): WholeBlocks {
  const view = dataView(bytes);
  const blocks: { start: number; text: number }[] = [];
  let length = 0;
  let sum = 0;
  while (sum < text) {
    const size = blockLength(bytes, length);
    if (size === undefined || size < HEADER_BYTES + 8 || length + size > bytes.length) break;
    const declared = view.getUint32(length + size - 4, true);
    if (declared > MAX_BLOCK_TEXT) {
      throw damaged(
        path,
        `the bgzip block at byte ${offset + length} declares ${declared} bytes; the maximum is ${MAX_BLOCK_TEXT}`,
      );
    }
    blocks.push({ start: length, text: declared });
    sum += declared;
    length += size;
  }
  return { blocks, length, text: sum };
}

/** Index of the block with a byte of the text. */
const blockOf = (starts: readonly BlockStart[], position: number): number =>
  firstIndex(1, starts.length, (i) => starts[i][1] > position) - 1;

const damaged = (path: string, message: string, cause?: unknown) =>
  new FormatError({ file: path }, message, "is the download complete? Run gzip -t", cause);

/** Decompresses blocks; zlib checks the CRC-32 and length of each. */
async function decompressed(
  path: string,
  bytes: Uint8Array,
  offset: number,
  { blocks, length, text }: WholeBlocks,
): Promise<Uint8Array> {
  const failure = await unzipped(bytes.subarray(0, length), text);
  if (failure instanceof Uint8Array) return failure;
  for (const [i, { start, text }] of blocks.entries()) {
    const one = await unzipped(bytes.subarray(start, blocks[i + 1]?.start ?? length), text);
    if (!(one instanceof Uint8Array)) {
      throw damaged(path, `the bgzip block at byte ${offset + start} is damaged`, one);
    }
  }
  throw damaged(path, `the bgzip blocks at byte ${offset} are damaged`, failure);
}

/** The text, or the error of the decompressor. */
async function unzipped(bytes: Uint8Array, text: number): Promise<Uint8Array | unknown> {
  try {
    const options = { maxOutputLength: Math.max(text, 1), chunkSize: Math.max(Math.min(text, 2 ** 20), 64) };
    const result = await promisify(gunzip)(bytes, options);
    return result.length === text ? result : new Error(`${result.length} bytes of text instead of ${text}`);
  } catch (cause) {
    return cause;
  }
}
