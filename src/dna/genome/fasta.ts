import { FormatError } from "../../base/errors.ts";
import type { OpenFile } from "../../base/read-file.ts";
import { bgzipText, blockLength, isGzip, type ReadText } from "./bgzip.ts";
import { checkFastaIndex, foreign, stale } from "./check-fasta-index.ts";
import { UPPER_CASE_DNA } from "./dna-bytes.ts";
import { byteOfBase, type FastaIndexEntry } from "./fasta-index.ts";
import { bgzipFastaIndex, plainFastaIndex } from "./fasta-index-files.ts";
import type { SequenceSource } from "./sequence-source.ts";

/** Bytes of text taken at once while a whole sequence is read. */
const PIECE_BYTES = 2 ** 23;

/** Line feed and return, and the blanks that some writers leave before them. */
const LINE_END = [10, 13, 32, 9];
const HEADER = 62; // ">"

/**
 * Sequences of a FASTA file, plain or compressed with bgzip.
 *
 * The indexes (`.fai`, and `.gzi` when compressed) are read from beside it; those that are missing are made, and kept
 * beside it where that folder may be written.
 *
 * @throws {FormatError} when the file is no FASTA file, is compressed with plain gzip, or does not fit its index
 */
export async function openFasta(file: OpenFile): Promise<SequenceSource> {
  const { read, entries } = await openText(file);
  await checkFastaIndex(entries, read, file.path);
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const bases = (name: string, start: number, end: number) =>
    readBases(byName.get(name)!, start, end, read, file.path);
  return {
    lengths: new Map(entries.map(({ name, length }) => [name, length])),
    read: async (name, start, end) => Buffer.from(await bases(name, start, end)).toString("latin1"),
    readWhole: (name) => bases(name, 0, byName.get(name)!.length),
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
    return { read, entries };
  }
  if (blockLength(start) === undefined) {
    throw new FormatError(
      { file: file.path },
      "the file is compressed with gzip, which cannot be read from the middle",
      `compress it with bgzip: gunzip -c ${file.path} | bgzip > genome.fa.gz`,
    );
  }
  const { entries, starts } = await bgzipFastaIndex(file);
  return { read: bgzipText(file, starts), entries };
}

/** Bases [start, end) of a sequence in upper case, straight into one array: a chromosome has 250 million. */
async function readBases(
  entry: FastaIndexEntry,
  start: number,
  end: number,
  read: ReadText,
  path: string,
): Promise<Uint8Array> {
  const { name, lineBases, lineBytes } = entry;
  const letters = new Uint8Array(end - start);
  if (end === start) return letters;
  const stop = byteOfBase(entry, end - 1) + 1;
  let base = start;
  let inLine = start % lineBases;
  for (let from = byteOfBase(entry, start); from < stop; from += PIECE_BYTES) {
    const size = Math.min(PIECE_BYTES, stop - from);
    const bytes = await read(from, size);
    if (bytes.length < size) throw stale(name, path);
    for (let at = 0; at < size; ) {
      if (inLine >= lineBases) {
        if (!LINE_END.includes(bytes[at++]!)) throw stale(name, path);
        inLine = inLine + 1 === lineBytes ? 0 : inLine + 1;
        continue;
      }
      const lineStop = Math.min(at + lineBases - inLine, size);
      inLine += lineStop - at;
      const copied = copyUpperCase(bytes, at, lineStop, letters, base - start);
      at += copied;
      base += copied;
      if (at < lineStop) {
        const byte = bytes[at]!;
        if (LINE_END.includes(byte) || byte === HEADER) throw stale(name, path);
        throw foreign(name, base, byte, path);
      }
    }
  }
  return letters;
}

/** Copies bytes [start, stop) in upper case; returns how many were copied before one that is no DNA letter. */
function copyUpperCase(from: Uint8Array, start: number, stop: number, to: Uint8Array, at: number): number {
  for (let i = start; i < stop; i++) {
    const letter = UPPER_CASE_DNA[from[i]!]!;
    if (letter === 0) return i - start;
    to[at + i - start] = letter;
  }
  return stop - start;
}
