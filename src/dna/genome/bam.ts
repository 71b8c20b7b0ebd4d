import { FormatError } from "../../base/errors.ts";
import { isGzip, unpackedBytes } from "../../base/gzip.ts";
import { openFile } from "../../base/read-file.ts";

/** Where a read lies. Positions are 0-based, the end exclusive. */
export interface Alignment {
  /** Number of its reference in the header; -1 for a read without a place. */
  readonly reference: number;
  readonly start: number;
  /** Behind the last reference base that it covers; one base behind its start where it covers none. */
  readonly end: number;
  /** Bits of the SAM format: 4 unmapped, 16 reverse strand, 256 secondary, 1024 duplicate, … */
  readonly flag: number;
  readonly mappingQuality: number;
}

/** Bit of `Alignment.flag`. A read that is not mapped may have its mate's place. */
export const UNMAPPED = 4;

/** The block without bytes that ends every BGZF file. */
const LAST_BLOCK = Buffer.from("1f8b08040000000000ff0600424302001b0003000000000000000000", "hex");
/** Bytes of a record before its name. */
const FIXED = 32;
/** A longer record is none: the file is damaged. */
const LONGEST_RECORD = 2 ** 28;
/** Nor is a longer header, or one of more references. */
const LONGEST_HEADER = 2 ** 28;
const MOST_REFERENCES = 2 ** 22;
/** CIGAR operations that walk along the reference: M, D, N, =, X. */
const ON_REFERENCE = (1 << 0) | (1 << 2) | (1 << 3) | (1 << 7) | (1 << 8);

/**
 * Reads a BAM file once from front to end, whatever its order, and needs no index: to look at every read, which a count over
 * a whole genome does, this is faster than asking for intervals one by one.
 *
 * @param open   told the references, name → length in the header's order, before the first read
 * @param visit  called for each read; the object is used again for the next
 * @param signal reading ends with its reason
 * @throws {InputError} when the file cannot be read
 * @throws {FormatError} when it is no BAM file, is damaged, or cut off
 * @see https://samtools.github.io/hts-specs/SAMv1.pdf, section 4
 */
export async function readBam(
  path: string,
  open: (references: ReadonlyMap<string, number>) => void,
  visit: (alignment: Alignment) => void,
  signal?: AbortSignal,
): Promise<void> {
  await checkEnd(path);
  const alignment = { reference: -1, start: 0, end: 0, flag: 0, mappingQuality: 0 };
  let references: ReadonlyMap<string, number> | undefined;
  /** Reads what is whole from the front of some bytes; gives back the rest, and how many bytes to come back with. */
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
      if (size < FIXED || size > LONGEST_RECORD) throw damaged(path, `a record claims to have ${size} bytes`);
      needed = 4 + size;
      if (at + needed > bytes.length) break;
      readRecord(path, bytes, at + 4, size, references.size, alignment);
      visit(alignment);
      at += needed;
    }
    return { rest: bytes.subarray(at), needed };
  };

  // Pieces are put together only once they may suffice: what is long would otherwise be copied with every piece that comes.
  let pieces: Uint8Array[] = [];
  let held = 0;
  let needed = 0;
  const consumePieces = () => {
    const [first] = pieces;
    const bytes =
      pieces.length === 1
        ? Buffer.from(first!.buffer, first!.byteOffset, first!.length)
        : Buffer.concat(pieces);
    const left = consume(bytes);
    pieces = left.rest.length === 0 ? [] : [left.rest];
    held = left.rest.length;
    needed = left.needed;
  };
  for await (const chunk of unpackedBytes(path)) {
    signal?.throwIfAborted();
    pieces.push(chunk);
    held += chunk.length;
    if (held >= needed) consumePieces();
  }
  if (pieces.length > 1) consumePieces();
  if (references === undefined || held > 0) throw damaged(path, "the file ends inside a record");
}

async function checkEnd(path: string): Promise<void> {
  await using file = await openFile(path);
  if (!isGzip(await file.read(0, Math.min(2, file.size)))) {
    throw new FormatError(
      { file: path },
      "this is no BAM file",
      "SAM and CRAM are not read; try samtools view -b",
    );
  }
  const end = await file.read(
    Math.max(0, file.size - LAST_BLOCK.length),
    Math.min(LAST_BLOCK.length, file.size),
  );
  if (LAST_BLOCK.equals(end)) return;
  throw new FormatError(
    { file: path },
    "the file lacks the block that ends a BAM file",
    "was it downloaded completely? Try samtools quickcheck",
  );
}

const damaged = (path: string, message: string) =>
  new FormatError({ file: path }, message, "is the file damaged? Try samtools quickcheck");

/** Undefined while it is not there as a whole. */
function readHeader(path: string, bytes: Buffer) {
  if (bytes.length < 12) return undefined;
  if (bytes.toString("latin1", 0, 4) !== "BAM\x01") {
    throw new FormatError({ file: path }, "this is no BAM file", "was it compressed with gzip by mistake?");
  }
  if (bytes.length > LONGEST_HEADER) throw damaged(path, `its header is longer than ${LONGEST_HEADER} bytes`);
  let at = 8 + sizeAt(path, bytes, 4);
  if (at + 4 > bytes.length) return undefined;
  const count = sizeAt(path, bytes, at);
  if (count > MOST_REFERENCES) throw damaged(path, `its header names ${count} references`);
  at += 4;
  const references = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    if (at + 4 > bytes.length) return undefined;
    const length = sizeAt(path, bytes, at);
    if (at + 8 + length > bytes.length) return undefined;
    references.set(bytes.toString("latin1", at + 4, at + 3 + length), sizeAt(path, bytes, at + 4 + length));
    at += 8 + length;
  }
  if (references.size !== count) throw damaged(path, "two references have one name");
  return { references, bytes: at };
}

function sizeAt(path: string, bytes: Buffer, at: number): number {
  const size = bytes.readInt32LE(at);
  if (size < 0 || size > 2 ** 30) throw damaged(path, `the header gives a size of ${size}`);
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
  const cigar = FIXED + bytes[at + 8];
  into.reference = bytes.readInt32LE(at);
  into.start = bytes.readInt32LE(at + 4);
  into.mappingQuality = bytes[at + 9];
  into.flag = bytes.readUInt16LE(at + 14);
  if (into.reference < -1 || into.reference >= references || cigar + 4 * operations > size) {
    throw damaged(path, "a record contradicts itself or the header");
  }
  let covered = 0;
  for (let i = 0; i < operations; i++) {
    const word = bytes.readUInt32LE(at + cigar + 4 * i);
    if (((ON_REFERENCE >> (word & 15)) & 1) === 1) covered += word >>> 4;
  }
  into.end = into.start + Math.max(covered, 1);
}
