import { unzip } from "@gmod/bgzf-filehandle";
import { FormatError } from "../../base/errors.ts";
import type { FileHandle } from "../../base/file-handle.ts";

// BGZF: gzip in blocks of at most 64 KiB, each with its own size in an extra field named BC.
// See the SAM specification, section 4.1, https://samtools.github.io/hts-specs/SAMv1.pdf

const HEADER_BYTES = 18;
/** Compressed bytes decompressed at once while a whole file is read through. */
const PIECE_BYTES = 2 ** 22;

/** Whether bytes begin a gzip stream of any kind. */
export const isGzip = (start: Uint8Array) => start[0] === 0x1f && start[1] === 0x8b;

/** Bytes of the block that begins at `offset`; undefined when no bgzip block does. */
export function blockLength(bytes: Uint8Array, offset = 0): number | undefined {
  const b = bytes.subarray(offset, offset + HEADER_BYTES);
  const isBlock =
    b.length === HEADER_BYTES && isGzip(b) && b[2] === 8 && b[3] === 4 && b[12] === 66 && b[13] === 67;
  return isBlock ? b[16]! + 256 * b[17]! + 1 : undefined;
}

/** Where a block begins, in the compressed file and in the text. */
export type BlockStart = readonly [compressed: number, uncompressed: number];

/** Reads a bgzip file from front to end: gives `visit` the text in pieces, and returns where its blocks begin. */
export async function readBgzip(file: FileHandle, visit: (text: Uint8Array) => void): Promise<BlockStart[]> {
  const starts: BlockStart[] = [];
  let compressed = 0;
  let uncompressed = 0;
  while (compressed < file.size) {
    const bytes = await file.read(compressed, Math.min(PIECE_BYTES, file.size - compressed));
    let whole = 0;
    for (;;) {
      const length = blockLength(bytes, whole);
      if (length === undefined || whole + length > bytes.length) break;
      const textLength = new DataView(bytes.buffer, bytes.byteOffset + whole + length - 4).getUint32(0, true);
      if (textLength > 0) starts.push([compressed + whole, uncompressed]);
      uncompressed += textLength;
      whole += length;
    }
    if (whole === 0) {
      throw new FormatError(
        { file: file.path },
        `there is no whole bgzip block at byte ${compressed}`,
        "was the file downloaded completely? Try gzip -t",
      );
    }
    visit(await decompressed(file.path, bytes.subarray(0, whole)));
    compressed += whole;
  }
  return starts;
}

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
