import { unzip } from "@gmod/bgzf-filehandle";
import type { GenericFilehandle } from "generic-filehandle2";
import { FormatError } from "../../base/errors.ts";
import type { FileHandle } from "../../base/file-handle.ts";
import { asGmodFile } from "./gmod-file.ts";

// BGZF: gzip in blocks of at most 64 KiB, each with its own size in an extra field named BC.
// See the SAM specification, section 4.1, https://samtools.github.io/hts-specs/SAMv1.pdf

const HEADER_BYTES = 18;
/** Compressed bytes decompressed at once while a whole file is read through. */
const PIECE_BYTES = 2 ** 22;
/** Text that a block may hold. */
const LARGEST_TEXT = 2 ** 16;
/** Text decompressed at once while a whole file is read through: 4 MiB of blocks may hold gigabytes. */
const PIECE_TEXT = 2 ** 26;
/** Compressed bytes between two blocks of an index: one full block, and empty ones behind it. */
const LONGEST_READ = 2 ** 17;

/** Whether bytes begin a gzip stream of any kind. */
export const isGzip = (start: Uint8Array) => start[0] === 0x1f && start[1] === 0x8b;

/** Bytes of the block that begins at `offset`; undefined when no bgzip block does. */
export function blockLength(bytes: Uint8Array, offset = 0): number | undefined {
  const b = bytes.subarray(offset, offset + HEADER_BYTES);
  const isBlock =
    b.length === HEADER_BYTES && isGzip(b) && b[2] === 8 && b[3] === 4 && b[12] === 66 && b[13] === 67;
  return isBlock && b[14] === 2 && b[15] === 0 ? b[16]! + 256 * b[17]! + 1 : undefined;
}

/** Where a block begins, in the compressed file and in the text. */
export type BlockStart = readonly [compressed: number, uncompressed: number];

/** Blocks from the beginning of some bytes: where each begins in them, and how much text it says it holds. */
interface WholeBlocks {
  readonly blocks: readonly { readonly start: number; readonly text: number }[];
  /** Bytes of all of them. */
  readonly length: number;
}

/**
 * The whole blocks that bytes begin with, until they hold `text` bytes of text. Whoever decompresses a block makes room for as
 * much text as it says it holds, so that is checked here.
 *
 * @param offset  of the bytes in the file, for messages
 * @throws {FormatError} when there is none, or one says that it holds more text than a block can
 */
function wholeBlocks(path: string, bytes: Uint8Array, offset: number, text: number): WholeBlocks {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blocks: { start: number; text: number }[] = [];
  let length = 0;
  for (let sum = 0; sum < text; ) {
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
  if (blocks.length === 0) throw damaged(path, `there is no whole bgzip block at byte ${offset}`);
  return { blocks, length };
}

/** Reads a bgzip file from front to end: gives `visit` the text in pieces, and returns where its blocks begin. */
export async function readBgzip(file: FileHandle, visit: (text: Uint8Array) => void): Promise<BlockStart[]> {
  const starts: BlockStart[] = [];
  let compressed = 0;
  let uncompressed = 0;
  while (compressed < file.size) {
    const bytes = await file.read(compressed, Math.min(PIECE_BYTES, file.size - compressed));
    const whole = wholeBlocks(file.path, bytes, compressed, PIECE_TEXT);
    for (const { start, text } of whole.blocks) {
      if (text > 0) starts.push([compressed + start, uncompressed]);
      uncompressed += text;
    }
    visit(await decompressed(file.path, bytes.subarray(0, whole.length)));
    compressed += whole.length;
  }
  return starts;
}

/**
 * A bgzip file for the reader that looks blocks up in an index and decompresses whatever it is given: it is given whole, sound
 * blocks only, and no more of them than the index speaks of.
 */
export function asGmodBgzipFile(file: FileHandle): GenericFilehandle {
  const source = asGmodFile(file);
  const read = async (length: number, position: number) => {
    const bytes = await source.read(Math.min(length, LONGEST_READ), position);
    return bytes.subarray(0, wholeBlocks(file.path, bytes, position, LARGEST_TEXT).length);
  };
  return { ...source, read } as GenericFilehandle;
}

const damaged = (path: string, message: string) =>
  new FormatError({ file: path }, message, "was the file downloaded completely? Try gzip -t");

async function decompressed(path: string, blocks: Uint8Array): Promise<Uint8Array> {
  try {
    return await unzip(blocks);
  } catch (cause) {
    throw new FormatError(
      { file: path },
      "the compressed data is damaged",
      "was the file downloaded completely? Try gzip -t",
      cause,
    );
  }
}
