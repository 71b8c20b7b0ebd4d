import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { dataView } from "../../base/byte-cursor.ts";
import { FormatError } from "../../base/errors.ts";
import { isGzip } from "../../base/gzip.ts";
import type { OpenFile } from "../../base/read-file.ts";

// BGZF: gzip in blocks of at most 64 KiB, each with its own size in an extra field named BC.
// See the SAM specification, section 4.1, https://samtools.github.io/hts-specs/SAMv1.pdf

const HEADER_BYTES = 18;
/** Compressed bytes decompressed at once while a whole file is read through. */
const PIECE_BYTES = 2 ** 22;
/** Text that a block may hold. */
const LARGEST_TEXT = 2 ** 16;
/** Text decompressed at once while a whole file is read through: 4 MiB of blocks may hold gigabytes. */
const PIECE_TEXT = 2 ** 26;
/** Compressed bytes of the last block of an index, and of empty ones in front of it. */
const LONGEST_READ = 2 ** 17;
/** Blocks decompressed at once when text is read by an index. */
const MOST_BLOCKS = 128;

/** Bytes of the block that begins at `offset`; undefined when no bgzip block does. */
export function blockLength(bytes: Uint8Array, offset = 0): number | undefined {
  const b = bytes.subarray(offset, offset + HEADER_BYTES);
  const isBlock =
    b.length === HEADER_BYTES && isGzip(b) && b[2] === 8 && b[3] === 4 && b[12] === 66 && b[13] === 67;
  return isBlock && b[14] === 2 && b[15] === 0 ? b[16] + 256 * b[17] + 1 : undefined;
}

/** Where a block begins, in the compressed file and in the text. */
export type BlockStart = readonly [compressed: number, uncompressed: number];

/** Blocks from the beginning of some bytes: where each begins in them, and how much text it says it holds. */
interface WholeBlocks {
  readonly blocks: readonly { readonly start: number; readonly text: number }[];
  /** Bytes of all of them, and of their text. */
  readonly length: number;
  readonly text: number;
}

/**
 * The whole blocks that bytes begin with, until they hold `text` bytes of text. Whoever decompresses a block makes room for as
 * much text as it says it holds, so that is checked here.
 *
 * @param offset  of the bytes in the file, for messages
 * @throws {FormatError} when one says that it holds more text than a block can
 */
function wholeBlocks(path: string, bytes: Uint8Array, offset: number, text: number): WholeBlocks {
  const view = dataView(bytes);
  const blocks: { start: number; text: number }[] = [];
  let length = 0;
  let sum = 0;
  while (sum < text) {
    const size = blockLength(bytes, length);
    if (size === undefined || size < HEADER_BYTES + 8 || length + size > bytes.length) break;
    const holds = view.getUint32(length + size - 4, true);
    if (holds > LARGEST_TEXT) {
      throw damaged(
        path,
        `the bgzip block at byte ${offset + length} is said to hold ${holds} bytes; a block holds at most ${LARGEST_TEXT}`,
      );
    }
    blocks.push({ start: length, text: holds });
    sum += holds;
    length += size;
  }
  return { blocks, length, text: sum };
}

/**
 * Reads a bgzip file from front to end: gives `visit` the text in pieces, and returns where its blocks begin.
 * @throws {FormatError} when a block is cut off or damaged, by its CRC-32
 */
export async function readBgzip(file: OpenFile, visit: (text: Uint8Array) => void): Promise<BlockStart[]> {
  const starts: BlockStart[] = [];
  let compressed = 0;
  let uncompressed = 0;
  while (compressed < file.size) {
    const bytes = await file.read(compressed, Math.min(PIECE_BYTES, file.size - compressed));
    const whole = wholeBlocks(file.path, bytes, compressed, PIECE_TEXT);
    if (whole.blocks.length === 0) {
      throw damaged(file.path, `there is no whole bgzip block at byte ${compressed}`);
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

/** Bytes of a file's text from a position on; fewer than asked for at its end. */
export type ReadText = (position: number, length: number) => Promise<Uint8Array>;

/**
 * The text of a bgzip file at any position, by the index of its blocks. The blocks read last are kept.
 *
 * @param starts  of the blocks, as `parseGzi` gives them
 * @throws {FormatError} when a block is damaged, by its CRC-32, or the blocks do not fit the index
 */
export function bgzipText(file: OpenFile, starts: readonly BlockStart[]): ReadText {
  let kept = { from: 0, text: new Uint8Array() as Uint8Array };
  return async (position, length) => {
    const end = position + length;
    const parts: Uint8Array[] = [];
    for (let at = position; at < end; ) {
      if (at < kept.from || at >= kept.from + kept.text.length)
        kept = await readBlocks(file, starts, at, end);
      const part = kept.text.subarray(at - kept.from, end - kept.from);
      if (part.length === 0) break;
      parts.push(part);
      at += part.length;
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts);
  };
}

/** The blocks of the text [from, to), or as many of them as are read at once. */
async function readBlocks(file: OpenFile, starts: readonly BlockStart[], from: number, to: number) {
  const first = blockOf(starts, from);
  const next = Math.min(blockOf(starts, to - 1), first + MOST_BLOCKS) + 1;
  const [start, textStart] = starts[first];
  const isLast = next === starts.length;
  // The last block of an index is read until it holds some text.
  const [end, textEnd] = isLast
    ? [Math.min(starts[next - 1][0] + LONGEST_READ, file.size), starts[next - 1][1] + 1]
    : starts[next];
  const bytes = await file.read(start, end - start);
  const whole = wholeBlocks(file.path, bytes, start, textEnd - textStart);
  const atEnd = isLast && (whole.text >= textEnd - textStart || start + whole.length === file.size);
  if (!atEnd && whole.text !== textEnd - textStart) {
    throw new FormatError(
      { file: file.path },
      `the file is damaged at byte ${start + whole.length}, or does not fit its index`,
      `try gzip -t; if the file is well, delete ${file.path}.gzi, and it will be made again`,
    );
  }
  return { from: textStart, text: await decompressed(file.path, bytes, start, whole) };
}

/** Number of the block that holds a byte of the text. */
function blockOf(starts: readonly BlockStart[], position: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle][1] <= position) low = middle;
    else high = middle;
  }
  return low;
}

const damaged = (path: string, message: string, cause?: unknown) =>
  new FormatError({ file: path }, message, "was the file downloaded completely? Try gzip -t", cause);

/** zlib compares each block with its CRC-32 and its length. */
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

/** The text, or why there is none. */
async function unzipped(bytes: Uint8Array, text: number): Promise<Uint8Array | unknown> {
  try {
    const options = { maxOutputLength: Math.max(text, 1), chunkSize: Math.max(Math.min(text, 2 ** 20), 64) };
    const result = await promisify(gunzip)(bytes, options);
    return result.length === text ? result : new Error(`${result.length} bytes of text instead of ${text}`);
  } catch (cause) {
    return cause;
  }
}
