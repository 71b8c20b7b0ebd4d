import { FormatError } from "../../base/errors.ts";
import { quotedText } from "../../base/message-text.ts";

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
export function formatFastaIndex(entries: readonly FastaIndexEntry[]): string {
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
