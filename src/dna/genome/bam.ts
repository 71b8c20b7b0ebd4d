import { FormatError } from "../../base/errors.ts";
import { isGzip, unpackedBytes } from "../../base/gzip.ts";
import { openFile } from "../../base/read-file.ts";

/** Alignment of a read. Positions are 0-based, the end is exclusive. */
export interface Alignment {
  /** Index of the reference in the header; -1 for an unplaced read. */
  readonly reference: number;
  readonly start: number;
  /** End of the covered reference bases; `start + 1` if the read covers none. */
  readonly end: number;
  /** SAM flags: 4 unmapped, 16 reverse strand, 256 secondary, 1024 duplicate, … */
  readonly flag: number;
  readonly mappingQuality: number;
}

/** SAM flag of an unmapped read, which may have the position of its mate. */
export const UNMAPPED = 4;

/** Empty block at the end of every BGZF file. */
const EOF_BLOCK = Buffer.from("1f8b08040000000000ff0600424302001b0003000000000000000000", "hex");
/** Bytes of the fixed fields of a record, before the read name. */
const FIXED_BYTES = 32;
/** Limits beyond which a file is damaged. */
const MAX_RECORD_BYTES = 2 ** 28;
const MAX_HEADER_BYTES = 2 ** 28;
const MAX_REFERENCES = 2 ** 22;
/** Bit set of the CIGAR operations that consume the reference: M, D, N, =, X. */
const CONSUMES_REFERENCE = (1 << 0) | (1 << 2) | (1 << 3) | (1 << 7) | (1 << 8);

/**
 * Streams all reads of a BAM file in any sort order; needs no index. For counts over a whole genome this is
 * faster than random access by interval.
 *
 * @param open   called with the references (name → length, in header order) before the first read
 * @param visit  called for each read; the object is reused
 * @param signal aborts the reading
 * @throws {InputError} when the file cannot be read
 * @throws {FormatError} when the file is not BAM, damaged or truncated
 * @see https://samtools.github.io/hts-specs/SAMv1.pdf, section 4
 */
export async function readBam(
  path: string,
  open: (references: ReadonlyMap<string, number>) => void,
  visit: (alignment: Alignment) => void,
  signal?: AbortSignal,
): Promise<void> {
  await checkEofBlock(path);
  const alignment = { reference: -1, start: 0, end: 0, flag: 0, mappingQuality: 0 };
  let references: ReadonlyMap<string, number> | undefined;
  /** Parses complete records; returns the remaining bytes and the length needed for the next record. */
  const consume = (bytes: Buffer): { rest: Buffer; needed: number } => {
    let at = 0;
    if (references === undefined) {
      const header = readHeader(path, bytes);
      if (header === undefined) return { rest: bytes, needed: 2 * bytes.length };
      references = header.references;
      at = header.bytes;
      open(references);
    }
    let needed = 0;
    while (at + 4 <= bytes.length) {
      const size = bytes.readInt32LE(at);
      if (size < FIXED_BYTES || size > MAX_RECORD_BYTES)
        throw damaged(path, `a record has an invalid size of ${size} bytes`);
      needed = 4 + size;
      if (at + needed > bytes.length) break;
      readRecord(path, bytes, at + 4, size, references.size, alignment);
      visit(alignment);
      at += needed;
    }
    return { rest: bytes.subarray(at), needed };
  };

  // Chunks are joined only when they may complete a record, so that a long record is not copied once per
  // chunk.
  let chunks: Uint8Array[] = [];
  let held = 0;
  let needed = 0;
  const consumeChunks = () => {
    const [first] = chunks;
    const bytes =
      chunks.length === 1 ? Buffer.from(first.buffer, first.byteOffset, first.length) : Buffer.concat(chunks);
    const left = consume(bytes);
    chunks = left.rest.length === 0 ? [] : [left.rest];
    held = left.rest.length;
    needed = left.needed;
  };
  for await (const chunk of unpackedBytes(path)) {
    signal?.throwIfAborted();
    chunks.push(chunk);
    held += chunk.length;
    if (held >= needed) consumeChunks();
  }
  if (chunks.length > 1) consumeChunks();
  if (references === undefined || held > 0) throw damaged(path, "the file ends within a record");
}

async function checkEofBlock(path: string): Promise<void> {
  await using file = await openFile(path);
  if (!isGzip(await file.read(0, Math.min(2, file.size)))) {
    throw new FormatError(
      { file: path },
      "this is not a BAM file",
      "SAM and CRAM are not supported; convert with samtools view -b",
    );
  }
  const end = await file.read(
    Math.max(0, file.size - EOF_BLOCK.length),
    Math.min(EOF_BLOCK.length, file.size),
  );
  if (EOF_BLOCK.equals(end)) return;
  throw new FormatError(
    { file: path },
    "the end-of-file block of BAM is missing",
    "was it downloaded completely? Try samtools quickcheck",
  );
}

const damaged = (path: string, message: string) =>
  new FormatError({ file: path }, message, "is the file damaged? Try samtools quickcheck");

/** Parses the header; undefined while it is incomplete. */
function readHeader(path: string, bytes: Buffer) {
  if (bytes.length < 12) return undefined;
  if (bytes.toString("latin1", 0, 4) !== "BAM\x01") {
    throw new FormatError(
      { file: path },
      "this is not a BAM file",
      "is it another file compressed with gzip?",
    );
  }
  if (bytes.length > MAX_HEADER_BYTES)
    throw damaged(path, `the header is longer than ${MAX_HEADER_BYTES} bytes`);
  let at = 8 + sizeAt(path, bytes, 4);
  if (at + 4 > bytes.length) return undefined;
  const count = sizeAt(path, bytes, at);
  if (count > MAX_REFERENCES) throw damaged(path, `the header lists ${count} references`);
  at += 4;
  const references = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    if (at + 4 > bytes.length) return undefined;
    const length = sizeAt(path, bytes, at);
    if (at + 8 + length > bytes.length) return undefined;
    references.set(bytes.toString("latin1", at + 4, at + 3 + length), sizeAt(path, bytes, at + 4 + length));
    at += 8 + length;
  }
  if (references.size !== count) throw damaged(path, "two references have the same name");
  return { references, bytes: at };
}

function sizeAt(path: string, bytes: Buffer, at: number): number {
  const size = bytes.readInt32LE(at);
  if (size < 0 || size > 2 ** 30) throw damaged(path, `the header has an invalid size of ${size}`);
  return size;
}

function readRecord(
  path: string,
  bytes: Buffer,
  at: number,
  size: number,
  references: number,
  into: { -readonly [Key in keyof Alignment]: Alignment[Key] },
): void {
  const operations = bytes.readUInt16LE(at + 12);
  const cigar = FIXED_BYTES + bytes[at + 8];
  into.reference = bytes.readInt32LE(at);
  into.start = bytes.readInt32LE(at + 4);
  into.mappingQuality = bytes[at + 9];
  into.flag = bytes.readUInt16LE(at + 14);
  if (into.reference < -1 || into.reference >= references || cigar + 4 * operations > size) {
    throw damaged(path, "a record is inconsistent with its length or the header");
  }
  let covered = 0;
  for (let i = 0; i < operations; i++) {
    const word = bytes.readUInt32LE(at + cigar + 4 * i);
    if (((CONSUMES_REFERENCE >> (word & 15)) & 1) === 1) covered += word >>> 4;
  }
  into.end = into.start + Math.max(covered, 1);
}
