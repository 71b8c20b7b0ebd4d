import { FormatError } from "../../base/errors.ts";
import { isGzip } from "../../base/gzip.ts";
import { quotedText } from "../../base/message-text.ts";
import type { OpenFile } from "../../base/read-file.ts";
import { valueAt } from "../../base/record.ts";
import { bgzipText, blockLength, type ReadText } from "./bgzip.ts";
import {
  bgzipFastaIndex,
  byteOfBase,
  type FastaIndexEntry,
  HEADER,
  plainFastaIndex,
  READ_BYTES,
} from "./fasta-index.ts";
import { CASE_OF_DNA, type SequenceSource, showByte, UPPER_CASE_DNA } from "./sequence-source.ts";

/** Bytes that a short read after another one reads ahead. */
const AHEAD_BYTES = 2 ** 18;

/** Line feed, carriage return, and the spaces and tabs that some writers leave before them. */
const LINE_END = [10, 13, 32, 9];

/**
 * Sequences of a FASTA file, plain or compressed with bgzip.
 *
 * The indexes (`.fai`, and `.gzi` if compressed) are read from the same folder. Missing ones are created, and
 * saved if the folder is writable.
 *
 * @throws {FormatError} when the file is not FASTA, is compressed with plain gzip, or does not match its
 *   index
 */
export async function openFasta(file: OpenFile): Promise<SequenceSource> {
  const { read, entries } = await openText(file);
  await checkFastaIndex(entries, read, file.path);
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const bases = (name: string, start: number, end: number, codeOf = UPPER_CASE_DNA) =>
    readBases(valueAt(byName, name), start, end, codeOf, read, file.path);
  return {
    lengths: new Map(entries.map(({ name, length }) => [name, length])),
    read: async (name, start, end) => Buffer.from(await bases(name, start, end)).toString("latin1"),
    readWhole: (name) => bases(name, 0, valueAt(byName, name).length),
    async readMask(name) {
      const mask = await bases(name, 0, valueAt(byName, name).length, CASE_OF_DNA);
      for (let i = 0; i < mask.length; i++) mask[i]--;
      return mask;
    },
  };
}

async function openText(file: OpenFile): Promise<{ read: ReadText; entries: FastaIndexEntry[] }> {
  const start = await file.read(0, Math.min(18, file.size));
  if (!isGzip(start)) {
    const entries = await plainFastaIndex(file);
    const read: ReadText = (position, length) => {
      const from = Math.min(position, file.size);
      return file.read(from, Math.min(length, file.size - from));
    };
    return { read: readAhead(read), entries };
  }
  if (blockLength(start) === undefined) {
    throw new FormatError(
      { file: file.path },
      "the file is compressed with gzip, which does not support random access",
      `compress it with bgzip: gunzip -c ${file.path} | bgzip > genome.fa.gz`,
    );
  }
  const { entries, starts } = await bgzipFastaIndex(file);
  return { read: bgzipText(file, starts), entries };
}

/**
 * Reads ahead where short reads follow each other, as those of sorted windows do: a call of the file system
 * takes as long as the text of 500 windows.
 */
function readAhead(read: ReadText): ReadText {
  let cached: { from: number; bytes: Uint8Array } = { from: 0, bytes: new Uint8Array() };
  let before = 0;
  return async (position, length) => {
    const end = position + length;
    const follows = position >= before && position < before + AHEAD_BYTES && length < AHEAD_BYTES;
    before = end;
    if (position >= cached.from && end <= cached.from + cached.bytes.length) {
      return cached.bytes.subarray(position - cached.from, end - cached.from);
    }
    if (!follows) return read(position, length);
    const bytes = await read(position, AHEAD_BYTES);
    cached = { from: position, bytes };
    return bytes.subarray(0, length);
  };
}

/**
 * Bases [start, end) of a sequence as codes, in one array: a chromosome has up to 250 million.
 *
 * @param codeOf  code of each byte; 0 for a byte that is not a DNA letter
 */
async function readBases(
  entry: FastaIndexEntry,
  start: number,
  end: number,
  codeOf: Uint8Array,
  read: ReadText,
  path: string,
): Promise<Uint8Array> {
  const { name, lineBases, lineBytes } = entry;
  const letters = new Uint8Array(end - start);
  if (end === start) return letters;
  const stop = byteOfBase(entry, end - 1) + 1;
  let base = start;
  let inLine = start % lineBases;
  for (let from = byteOfBase(entry, start); from < stop; from += READ_BYTES) {
    const size = Math.min(READ_BYTES, stop - from);
    const bytes = await read(from, size);
    if (bytes.length < size) throw staleIndexError(name, path);
    for (let at = 0; at < size; ) {
      if (inLine >= lineBases) {
        if (!LINE_END.includes(bytes[at++])) throw staleIndexError(name, path);
        inLine = inLine + 1 === lineBytes ? 0 : inLine + 1;
        continue;
      }
      const lineStop = Math.min(at + lineBases - inLine, size);
      inLine += lineStop - at;
      const copied = copyCodes(bytes, at, lineStop, { codeOf, to: letters, at: base - start });
      at += copied;
      base += copied;
      if (at < lineStop) throw badByteError(name, base, bytes[at], path);
    }
  }
  return letters;
}

/**
 * Copies the codes of bytes [start, stop); returns the number copied before the first that is not a DNA
 * letter.
 */
function copyCodes(
  from: Uint8Array,
  start: number,
  stop: number,
  { codeOf, to, at }: { readonly codeOf: Uint8Array; readonly to: Uint8Array; readonly at: number },
): number {
  for (let i = start; i < stop; i++) {
    const code = codeOf[from[i]];
    if (code === 0) return i - start;
    to[at + i - start] = code;
  }
  return stop - start;
}

/** Index entries compared with the file, evenly spaced. */
const CHECKED_ENTRIES = 256;
/** Bytes searched for the header line before a sequence: most are short, some contain annotations. */
const HEADER_BYTES = [512, 2 ** 20];

/** Bytes read after the last base of a sequence: a line end, and spaces before it. */
const END_BYTES = 256;

/**
 * Compares an index with its file. Each sequence must follow its header line and end with a line end and the
 * next header, and nothing may follow the last sequence. Detects the index of another file or of an earlier
 * version.
 *
 * @throws {FormatError} when an entry does not match, or a sequence ends in a character that is not a DNA
 *   letter
 */
async function checkFastaIndex(
  entries: readonly FastaIndexEntry[],
  read: ReadText,
  path: string,
): Promise<void> {
  const step = Math.max(1, entries.length / CHECKED_ENTRIES);
  for (let i = 0; i < entries.length; i += step) {
    const entry = entries[Math.floor(i)];
    if (!(await headerFits(entry, read))) throw staleIndexError(entry.name, path);
    await checkEnd(entry, read, path);
  }
  const last = entries.reduce((a, b) => (b.offset >= a.offset ? b : a));
  await checkEnd(last, read, path, { isLast: true });
}

/** Error of a sequence that is not at the position of its index entry. */
function staleIndexError(name: string, path: string): FormatError {
  return new FormatError(
    { file: `${path}.fai` },
    `sequence ${quotedText(name)} is not at the indexed position in ${path}`,
    "has the FASTA file changed since? Delete the index and it will be created again",
  );
}

async function headerFits({ name, offset }: FastaIndexEntry, read: ReadText): Promise<boolean> {
  for (const reach of HEADER_BYTES) {
    const from = Math.max(0, offset - reach);
    const before = await read(from, offset - from);
    if (before.length < offset - from) return false;
    const text = Buffer.from(before).toString("utf8");
    // A sequence without bases may end the file without a line end.
    const body = text.endsWith("\n") ? text.slice(0, -1) : text;
    const lineStart = body.lastIndexOf("\n") + 1;
    if (lineStart === 0 && from > 0) continue;
    return body.startsWith(">", lineStart) && body.slice(lineStart + 1).split(/\s/, 1)[0] === name;
  }
  return false;
}

async function checkEnd(
  entry: FastaIndexEntry,
  read: ReadText,
  path: string,
  { isLast = false } = {},
): Promise<void> {
  const { name, offset, length } = entry;
  const end = length === 0 ? offset : byteOfBase(entry, length - 1) + 1;
  const behind = Buffer.from(await read(end, END_BYTES)).toString("latin1");
  const lineEnd = length === 0 || /^[ \t]*([\r\n]|$)/.test(behind);
  if (!lineEnd || !(isLast ? /^\s*$/ : /^\s*(>|$)/).test(behind)) throw staleIndexError(name, path);
  if (length === 0) return;
  const [base] = await read(end - 1, 1);
  if (base === undefined || /\s/.test(String.fromCharCode(base))) throw staleIndexError(name, path);
  if (UPPER_CASE_DNA[base] === 0) throw notDnaError(name, length - 1, base, path);
}

/** Error of a byte in a line of bases: a line end or a header means that the index is wrong. */
const badByteError = (name: string, position: number, byte: number, path: string): FormatError =>
  LINE_END.includes(byte) || byte === HEADER
    ? staleIndexError(name, path)
    : notDnaError(name, position, byte, path);

/** Error of a character that is not a DNA letter, by its 0-based position. */
function notDnaError(name: string, position: number, byte: number, path: string): FormatError {
  return new FormatError(
    { file: path },
    `${showByte(byte)} at base ${position + 1} of sequence ${quotedText(name)} is not a DNA letter`,
    "is this a FASTA file of nucleotides?",
  );
}
