import { BgzipIndexedFasta, IndexedFasta } from "@gmod/indexedfasta";
import { FormatError, InputError } from "../../base/errors.ts";
import type { FileHandle } from "../../base/file-handle.ts";
import { asGmodBgzipFile, blockLength, isGzip } from "./bgzip.ts";
import { checkFastaIndex, type ReadText, stale } from "./check-fasta-index.ts";
import { NO_DNA_LETTER, showByte, UPPER_CASE_DNA } from "./dna-bytes.ts";
import { byteOfBase, type FastaIndexEntry, formatFastaIndex } from "./fasta-index.ts";
import { bgzipFastaIndex, plainFastaIndex } from "./fasta-index-files.ts";
import { asGmodFile, bytesAsGmodFile } from "./gmod-file.ts";
import type { SequenceSource } from "./sequence-source.ts";

/** Bytes of text taken at once while a whole sequence is read. */
const PIECE_BYTES = 2 ** 23;

const LINE_FEED = 10;
const RETURN = 13;
const HEADER = 62; // ">"

/**
 * Sequences of a FASTA file, plain or compressed with bgzip.
 *
 * The indexes (`.fai`, and `.gzi` when compressed) are read from beside it; those that are missing are made, and kept
 * beside it where that folder may be written.
 *
 * @throws {FormatError} when the file is no FASTA file, is compressed with plain gzip, or does not fit its index
 */
export async function openFasta(file: FileHandle): Promise<SequenceSource> {
  const { reader, entries } = await openReader(file);
  const orTrouble = (cause: unknown): never => {
    throw unreadable(file.path, cause);
  };
  const readText: ReadText = (position, length) => reader.fasta.read(length, position).catch(orTrouble);
  await checkFastaIndex(entries, readText, file.path);
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  return {
    lengths: new Map(entries.map(({ name, length }) => [name, length])),
    async read(name, start, end) {
      const letters = await reader.getSequence(name, start, end).catch(orTrouble);
      if (letters?.length !== end - start) throw stale(name, file.path);
      const at = letters.search(NO_DNA_LETTER);
      if (at >= 0) throw foreign(name, start + at, letters.charCodeAt(at), file.path);
      return letters;
    },
    readWhole: (name) => readWhole(byName.get(name)!, readText, file.path),
  };
}

async function openReader(file: FileHandle): Promise<{ reader: IndexedFasta; entries: FastaIndexEntry[] }> {
  const start = await file.read(0, Math.min(18, file.size));
  if (!isGzip(start)) {
    const entries = await plainFastaIndex(file);
    const fai = bytesAsGmodFile(formatFastaIndex(entries));
    return { reader: new IndexedFasta({ fasta: asGmodFile(file), fai }), entries };
  }
  if (blockLength(start) === undefined) {
    throw new FormatError(
      { file: file.path },
      "the file is compressed with gzip, which cannot be read from the middle",
      `compress it with bgzip: gunzip -c ${file.path} | bgzip > genome.fa.gz`,
    );
  }
  const { entries, gzi } = await bgzipFastaIndex(file);
  const fai = bytesAsGmodFile(formatFastaIndex(entries));
  const fasta = asGmodBgzipFile(file);
  return { reader: new BgzipIndexedFasta({ fasta, fai, gzi: bytesAsGmodFile(gzi) }), entries };
}

function unreadable(path: string, cause: unknown): unknown {
  // What the disk says is not about the format.
  if (cause instanceof InputError || (cause instanceof Error && "code" in cause)) return cause;
  return new FormatError(
    { file: path },
    "the data is damaged, or does not fit its index",
    `if the file is compressed, try gzip -t; if it is well, delete ${path}.fai and ${path}.gzi, and they will be made again`,
    cause,
  );
}

function foreign(name: string, position: number, byte: number, path: string): FormatError {
  return new FormatError(
    { file: path },
    `${showByte(byte)} at base ${position + 1} of sequence ${JSON.stringify(name)} is not a DNA letter`,
    "is this a FASTA file of nucleotides?",
  );
}

/**
 * A whole sequence, straight into one array. The general reader would make a string of it and search that for line ends;
 * for a chromosome of 250 million bases the shorter way pays.
 */
async function readWhole(entry: FastaIndexEntry, read: ReadText, path: string): Promise<Uint8Array> {
  const { name, length, lineBases, lineBytes } = entry;
  const letters = new Uint8Array(length);
  if (length === 0) return letters;
  const end = byteOfBase(entry, length - 1) + 1;
  let base = 0;
  let inLine = 0;
  for (let from = entry.offset; from < end; from += PIECE_BYTES) {
    const size = Math.min(PIECE_BYTES, end - from);
    const bytes = await read(from, size);
    if (bytes.length < size) throw stale(name, path);
    for (let at = 0; at < size; ) {
      if (inLine >= lineBases) {
        const byte = bytes[at++]!;
        if (byte !== LINE_FEED && byte !== RETURN) throw stale(name, path);
        inLine = inLine + 1 === lineBytes ? 0 : inLine + 1;
        continue;
      }
      const stop = Math.min(at + lineBases - inLine, size);
      inLine += stop - at;
      const copied = copyUpperCase(bytes, at, stop, letters, base);
      at += copied;
      base += copied;
      if (at < stop) {
        const byte = bytes[at]!;
        if (byte === LINE_FEED || byte === RETURN || byte === HEADER) throw stale(name, path);
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
