import { dataView } from "../../base/byte-cursor.ts";
import { FormatError } from "../../base/errors.ts";
import { quotedText } from "../../base/message-text.ts";
import { bytesIfPresent, type OpenFile } from "../../base/read-file.ts";
import { writeCacheFile } from "../../base/write-file.ts";
import { type BlockStart, readBgzip } from "./bgzip.ts";

/**
 * Location of a sequence in a FASTA file: one line of a `.fai`.
 * @see https://www.htslib.org/doc/faidx.html
 */
export interface FastaIndexEntry {
  readonly name: string;
  /** Bases. */
  readonly length: number;
  /** Offset of the first base in the uncompressed file. */
  readonly offset: number;
  /** Bases per full line. */
  readonly lineBases: number;
  /** Bytes per full line, including its line end and spaces before it. */
  readonly lineBytes: number;
}

/** Offset of a base in the uncompressed file, by its 0-based position in the sequence. */
export function byteOfBase(entry: FastaIndexEntry, position: number): number {
  if (position === 0) return entry.offset;
  const line = Math.floor(position / entry.lineBases);
  return entry.offset + line * entry.lineBytes + (position - line * entry.lineBases);
}

/** Bytes of text per read. */
export const READ_BYTES = 2 ** 23;

/**
 * The `.fai` of a plain FASTA file: read from the same folder, or created and saved there if it is writable.
 */
export async function plainFastaIndex(file: OpenFile): Promise<FastaIndexEntry[]> {
  const path = `${file.path}.fai`;
  const known = await bytesIfPresent(path);
  if (known !== undefined) return parseFastaIndex(textOf(known), path);
  const builder = new FastaIndexBuilder(file.path);
  for (let at = 0; at < file.size; at += READ_BYTES) {
    builder.add(await file.read(at, Math.min(READ_BYTES, file.size - at)));
  }
  const entries = builder.finish();
  await writeCacheFile(path, formatFastaIndex(entries));
  return entries;
}

/** The `.fai` and `.gzi` of a bgzip FASTA file, read or created like `plainFastaIndex`, in one pass. */
export async function bgzipFastaIndex(
  file: OpenFile,
): Promise<{ entries: FastaIndexEntry[]; starts: readonly BlockStart[] }> {
  const faiPath = `${file.path}.fai`;
  const gziPath = `${file.path}.gzi`;
  const knownFai = await bytesIfPresent(faiPath);
  const knownGzi = await bytesIfPresent(gziPath);
  const knownStarts = knownGzi && parseGzi(knownGzi, gziPath, file.size);
  const knownEntries = knownFai && parseFastaIndex(textOf(knownFai), faiPath);
  if (knownEntries !== undefined && knownStarts !== undefined) {
    return { entries: knownEntries, starts: knownStarts };
  }

  const builder = new FastaIndexBuilder(file.path);
  const found = await readBgzip(file, (text) => builder.add(text));
  const entries = knownEntries ?? builder.finish();
  const gzi = knownGzi ?? formatGzi(found);
  if (knownEntries === undefined) await writeCacheFile(faiPath, formatFastaIndex(entries));
  if (knownGzi === undefined) await writeCacheFile(gziPath, gzi);
  return { entries, starts: parseGzi(gzi, gziPath, file.size) };
}

/** Text of a `.fai`. */
function formatFastaIndex(entries: readonly FastaIndexEntry[]): string {
  return entries.map((e) => `${e.name}\t${e.length}\t${e.offset}\t${e.lineBases}\t${e.lineBytes}\n`).join("");
}

/**
 * Parses the text of a `.fai`.
 * @throws {FormatError} naming the invalid line
 */
export function parseFastaIndex(text: string, file: string): FastaIndexEntry[] {
  const entries: FastaIndexEntry[] = [];
  const seen = new Set<string>();
  text.split(/\r?\n/).forEach((line, i) => {
    if (line === "") return;
    const refuse = (what: string) =>
      new FormatError({ file, line: i + 1 }, what, "delete this index and it will be created again");
    const columns = line.split("\t");
    const [name = "", ...numbers] = columns;
    const [length, offset, lineBases, lineBytes] = numbers.map((text) =>
      /^\d+$/.test(text) ? Number(text) : -1,
    );
    if (columns.length !== 5 || numbers.some((text) => !/^\d+$/.test(text))) {
      throw refuse(`expected a name and four whole numbers, found ${JSON.stringify(line.slice(0, 80))}`);
    }
    const entry = { name, length, offset, lineBases, lineBytes };
    const possible =
      entry.length === 0 || (entry.lineBases > 0 && entry.lineBytes >= entry.lineBases && entry.offset > 0);
    if (name === "" || !possible || !Number.isSafeInteger(entry.length + entry.offset)) {
      throw refuse(`the entry is not possible in a FASTA file: ${JSON.stringify(line.slice(0, 80))}`);
    }
    if (seen.has(name)) throw refuse(`sequence ${quotedText(name)} is listed twice`);
    seen.add(name);
    entries.push(entry);
  });
  if (entries.length === 0) {
    throw new FormatError({ file }, "the index is empty", "delete it and it will be created again");
  }
  return entries;
}

const LINE_FEED = 10;
/** First byte of a header line: ">". */
export const HEADER = 62;
const isBlank = (byte: number) => byte === 13 || byte === 32 || byte === 9;

/** Builds the index of a FASTA file from its bytes, in consecutive chunks of any size. */
class FastaIndexBuilder {
  readonly #file: string;
  readonly #entries: FastaIndexEntry[] = [];
  readonly #names = new Set<string>();
  /** Current line: its 1-based number, its offset, and its length and first byte so far. */
  #line = 1;
  #lineStart = 0;
  #lineLength = 0;
  #firstByte = -1;
  /** Trailing spaces of the line so far, including a carriage return. */
  #blanks = 0;
  #header: number[] = [];
  /** Current sequence. */
  #name: string | undefined;
  #length = 0;
  #offset = 0;
  #lineBases = 0;
  #lineBytes = 0;
  /** True after a shorter line, which must be the last one. */
  #ended = false;

  constructor(file: string) {
    this.#file = file;
  }

  add(piece: Uint8Array): void {
    let start = 0;
    while (start < piece.length) {
      const end = piece.indexOf(LINE_FEED, start);
      const stop = end === -1 ? piece.length : end;
      if (stop > start) this.#extendLine(piece, start, stop);
      if (end === -1) return;
      this.#finishLine(1);
      start = end + 1;
    }
  }

  /** @throws {FormatError} when there is no sequence, or line lengths differ within one */
  finish(): FastaIndexEntry[] {
    if (this.#lineLength > 0) this.#finishLine(0);
    this.#finishSequence();
    if (this.#entries.length === 0) throw this.#refuse("the file has no sequences");
    return this.#entries;
  }

  #extendLine(piece: Uint8Array, start: number, stop: number): void {
    if (this.#lineLength === 0) this.#firstByte = piece[start];
    if (this.#firstByte === HEADER && this.#header.length < 1024) {
      this.#header.push(...piece.subarray(start, Math.min(stop, start + 1024)));
    }
    let last = stop;
    while (last > start && isBlank(piece[last - 1])) last--;
    this.#blanks = last === start ? this.#blanks + stop - start : stop - last;
    this.#lineLength += stop - start;
  }

  #finishLine(lineFeed: 0 | 1): void {
    const length = this.#lineLength;
    const bases = length - this.#blanks;
    if (bases > 0 && this.#firstByte === HEADER) this.#beginSequence(lineFeed);
    else this.#addSequenceLine(bases, length + lineFeed);
    this.#line++;
    this.#lineStart += length + lineFeed;
    this.#lineLength = this.#blanks = 0;
  }

  #beginSequence(lineFeed: number): void {
    this.#finishSequence();
    const header = Buffer.from(this.#header).toString("utf8", 1);
    this.#header = [];
    this.#name = header.split(/\s/, 1)[0];
    this.#offset = this.#lineStart + this.#lineLength + lineFeed;
    this.#length = this.#lineBases = this.#lineBytes = 0;
    this.#ended = false;
    if (this.#name === "") throw this.#refuse("the sequence has no name");
    if (this.#names.has(this.#name))
      throw this.#refuse(`a second sequence is named ${quotedText(this.#name)}`);
    this.#names.add(this.#name);
  }

  #addSequenceLine(bases: number, bytes: number): void {
    if (bases === 0) {
      this.#ended = true;
      return;
    }
    if (this.#name === undefined) {
      throw this.#refuse('the first line does not start with ">"', "is this a FASTA file?");
    }
    if (this.#lineBases === 0 && !this.#ended) {
      this.#lineBases = bases;
      this.#lineBytes = bytes;
    } else if (this.#ended || bases > this.#lineBases) {
      throw this.#refuse(
        `the lines of sequence ${quotedText(this.#name)} differ in length`,
        "all lines of a sequence except the last must have the same length; rewrap it, for example with seqkit seq -w 60",
      );
    }
    if (bytes !== this.#lineBytes) this.#ended = true;
    this.#length += bases;
  }

  #finishSequence(): void {
    if (this.#name === undefined) return;
    this.#entries.push({
      name: this.#name,
      length: this.#length,
      offset: this.#offset,
      lineBases: this.#lineBases,
      lineBytes: this.#lineBytes,
    });
  }

  #refuse(message: string, hint?: string): FormatError {
    return new FormatError({ file: this.#file, line: this.#line }, message, hint);
  }
}

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Bytes of a `.gzi`: the number of blocks after the first, then two 64-bit offsets for each. */
function formatGzi(starts: readonly BlockStart[]): Uint8Array {
  const later = starts.slice(1);
  const bytes = new Uint8Array(8 + 16 * later.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(later.length), true);
  later.forEach(([compressed, uncompressed], i) => {
    view.setBigUint64(8 + 16 * i, BigInt(compressed), true);
    view.setBigUint64(16 + 16 * i, BigInt(uncompressed), true);
  });
  return bytes;
}

/**
 * Parses a `.gzi`: the offsets of all blocks, including the first.
 * @throws {FormatError} naming the index, when it does not match a file of `size` bytes
 */
function parseGzi(bytes: Uint8Array, path: string, size: number): BlockStart[] {
  const refuse = (what: string) =>
    new FormatError({ file: path }, what, "delete this index and it will be created again");
  const view = dataView(bytes);
  const count = (bytes.length - 8) / 16;
  if (!Number.isInteger(count) || count < 0 || view.getBigUint64(0, true) !== BigInt(count)) {
    throw refuse(`the index has ${bytes.length} bytes, which does not match its number of blocks`);
  }
  let before: BlockStart = [0, 0];
  const starts = [before];
  for (let i = 0; i < count; i++) {
    const compressed = Number(view.getBigUint64(8 + 16 * i, true));
    const uncompressed = Number(view.getBigUint64(16 + 16 * i, true));
    const inOrder = compressed > before[0] && uncompressed > before[1] && uncompressed - before[1] <= 2 ** 16;
    if (!inOrder || compressed >= size) {
      throw refuse(`block ${i + 2} has the offset ${compressed}, which is not possible in this file`);
    }
    before = [compressed, uncompressed];
    starts.push(before);
  }
  return starts;
}
