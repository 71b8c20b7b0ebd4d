import { dataView } from "../../base/byte-cursor.ts";
import { FormatError } from "../../base/errors.ts";
import { quotedText } from "../../base/message-text.ts";
import { bytesIfPresent, type OpenFile } from "../../base/read-file.ts";
import { writeCacheFile } from "../../base/write-file.ts";
import { type BlockStart, readBgzip } from "./bgzip.ts";

/**
 * Where a sequence lies in a FASTA file: one line of a `.fai`.
 * @see https://www.htslib.org/doc/faidx.html
 */
export interface FastaIndexEntry {
  readonly name: string;
  /** Bases. */
  readonly length: number;
  /** Byte of the first base, in the uncompressed file. */
  readonly offset: number;
  /** Bases on each full line. */
  readonly lineBases: number;
  /** Bytes of each full line with its end, and blanks before it. */
  readonly lineBytes: number;
}

/** Byte of a base, by its 0-based position in the sequence. */
export function byteOfBase(entry: FastaIndexEntry, position: number): number {
  if (position === 0) return entry.offset;
  const line = Math.floor(position / entry.lineBases);
  return entry.offset + line * entry.lineBytes + (position - line * entry.lineBases);
}

/** The text of a `.fai`. */
function formatFastaIndex(entries: readonly FastaIndexEntry[]): string {
  return entries.map((e) => `${e.name}\t${e.length}\t${e.offset}\t${e.lineBases}\t${e.lineBytes}\n`).join("");
}

/**
 * Reads the text of a `.fai`.
 * @throws {FormatError} naming the line that cannot be
 */
export function parseFastaIndex(text: string, file: string): FastaIndexEntry[] {
  const entries: FastaIndexEntry[] = [];
  const seen = new Set<string>();
  text.split(/\r?\n/).forEach((line, i) => {
    if (line === "") return;
    const refuse = (what: string) =>
      new FormatError({ file, line: i + 1 }, what, "delete this index, and it will be made again");
    const columns = line.split("\t");
    const [name = "", ...numbers] = columns;
    const [length, offset, lineBases, lineBytes] = numbers.map((text) =>
      /^\d+$/.test(text) ? Number(text) : -1,
    );
    if (columns.length !== 5 || numbers.some((text) => !/^\d+$/.test(text))) {
      throw refuse(`expected a name and four whole numbers, found ${JSON.stringify(line.slice(0, 80))}`);
    }
    const entry = { name, length: length!, offset: offset!, lineBases: lineBases!, lineBytes: lineBytes! };
    const possible =
      entry.length === 0 || (entry.lineBases > 0 && entry.lineBytes >= entry.lineBases && entry.offset > 0);
    if (name === "" || !possible || !Number.isSafeInteger(entry.length + entry.offset)) {
      throw refuse(`no FASTA file can be laid out like this: ${JSON.stringify(line.slice(0, 80))}`);
    }
    if (seen.has(name)) throw refuse(`sequence ${quotedText(name)} is listed twice`);
    seen.add(name);
    entries.push(entry);
  });
  if (entries.length === 0) {
    throw new FormatError({ file }, "the index is empty", "delete it, and it will be made again");
  }
  return entries;
}

const LINE_FEED = 10;
const HEADER = 62; // ">"
const isBlank = (byte: number) => byte === 13 || byte === 32 || byte === 9;

/** Makes a FASTA file's index from its bytes, given in order in pieces of any size. */
class FastaIndexBuilder {
  readonly #file: string;
  readonly #entries: FastaIndexEntry[] = [];
  readonly #names = new Set<string>();
  /** 1-based number of the current line, the byte it begins at, and what was seen of it. */
  #line = 1;
  #lineStart = 0;
  #lineLength = 0;
  #firstByte = -1;
  /** Blanks at its end so far, a carriage return included. */
  #blanks = 0;
  #header: number[] = [];
  /** The sequence being read. */
  #name: string | undefined;
  #length = 0;
  #offset = 0;
  #lineBases = 0;
  #lineBytes = 0;
  /** A line shorter than the others was seen: it must be the last one. */
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

  /** @throws {FormatError} when there is no sequence, or its lines cannot be indexed */
  finish(): FastaIndexEntry[] {
    if (this.#lineLength > 0) this.#finishLine(0);
    this.#finishSequence();
    if (this.#entries.length === 0) throw this.#refuse("the file holds no sequence");
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
      throw this.#refuse('the first line does not begin with ">"', "is this a FASTA file?");
    }
    if (this.#lineBases === 0 && !this.#ended) {
      this.#lineBases = bases;
      this.#lineBytes = bytes;
    } else if (this.#ended || bases > this.#lineBases) {
      throw this.#refuse(
        `the lines of sequence ${quotedText(this.#name)} differ in length before this one`,
        "all lines of a sequence but the last must be equally long; rewrap the file, for instance with seqkit seq -w 60",
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

const PIECE_BYTES = 2 ** 23;

/** The `.fai` of a plain FASTA file: read from beside it, or made, and kept beside it where that is allowed. */
export async function plainFastaIndex(file: OpenFile): Promise<FastaIndexEntry[]> {
  const path = `${file.path}.fai`;
  const known = await bytesIfPresent(path);
  if (known !== undefined) return parseFastaIndex(textOf(known), path);
  const builder = new FastaIndexBuilder(file.path);
  for (let at = 0; at < file.size; at += PIECE_BYTES) {
    builder.add(await file.read(at, Math.min(PIECE_BYTES, file.size - at)));
  }
  const entries = builder.finish();
  await writeCacheFile(path, formatFastaIndex(entries));
  return entries;
}

/** The `.fai` and the `.gzi` of a bgzip FASTA file, in the same way; one reading makes both. */
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

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** A `.gzi`: the number of blocks after the first, then two 64-bit offsets for each. */
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
 * Reads a `.gzi`: where the blocks begin, the first included.
 * @throws {FormatError} naming the index, when it cannot belong to a file of `size` bytes
 */
function parseGzi(bytes: Uint8Array, path: string, size: number): BlockStart[] {
  const refuse = (what: string) =>
    new FormatError({ file: path }, what, "delete this index, and it will be made again");
  const view = dataView(bytes);
  const count = (bytes.length - 8) / 16;
  if (!Number.isInteger(count) || count < 0 || view.getBigUint64(0, true) !== BigInt(count)) {
    throw refuse(`the index has ${bytes.length} bytes, which is not what its number of blocks needs`);
  }
  let before: BlockStart = [0, 0];
  const starts = [before];
  for (let i = 0; i < count; i++) {
    const compressed = Number(view.getBigUint64(8 + 16 * i, true));
    const uncompressed = Number(view.getBigUint64(16 + 16 * i, true));
    const inOrder = compressed > before[0] && uncompressed > before[1] && uncompressed - before[1] <= 2 ** 16;
    if (!inOrder || compressed >= size) {
      throw refuse(`block ${i + 2} is said to begin at byte ${compressed}, which cannot be in this file`);
    }
    before = [compressed, uncompressed];
    starts.push(before);
  }
  return starts;
}
