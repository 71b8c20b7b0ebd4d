import { FormatError } from "../../base/errors.ts";
import { quotedText } from "../../base/quoted-text.ts";
import { UPPER_CASE_DNA } from "./dna-bytes.ts";
import { byteOfBase, type FastaIndexEntry } from "./fasta-index.ts";

/** Entries compared with the file, evenly spread over the index. */
const ENTRIES_CHECKED = 256;
/** How far before a sequence its header line is looked for: most are short, some say everything. */
const HEADER_REACH = [512, 2 ** 20];

/** Bytes of the uncompressed file from a position on; fewer than asked for at its end. */
export type ReadText = (position: number, length: number) => Promise<Uint8Array>;

/**
 * Compares an index with its file: before each sequence there must be its header line, after its last base a line end and
 * then another header, and after the last sequence nothing. So an index of another file, or from before an edit, does not
 * pass.
 *
 * @throws {FormatError} when an entry does not fit
 */
export async function checkFastaIndex(
  entries: readonly FastaIndexEntry[],
  read: ReadText,
  path: string,
): Promise<void> {
  const step = Math.max(1, entries.length / ENTRIES_CHECKED);
  for (let i = 0; i < entries.length; i += step) {
    const entry = entries[Math.floor(i)]!;
    if (!(await headerFits(entry, read)) || !(await endFits(entry, read))) throw stale(entry.name, path);
  }
  const last = entries.reduce((a, b) => (b.offset >= a.offset ? b : a));
  if (!(await endFits(last, read, /^[\r\n]*$/))) throw stale(last.name, path);
}

/** What to say of a sequence that is not where the index says. */
export function stale(name: string, path: string): FormatError {
  return new FormatError(
    { file: `${path}.fai` },
    `sequence ${quotedText(name)} is not where this index says it is in ${path}`,
    "was the FASTA file changed after its index was made? Delete the index, and it will be made again",
  );
}

async function headerFits({ name, offset }: FastaIndexEntry, read: ReadText): Promise<boolean> {
  for (const reach of HEADER_REACH) {
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

async function endFits(entry: FastaIndexEntry, read: ReadText, after?: RegExp): Promise<boolean> {
  if (entry.length === 0) {
    return (after ?? /^[\r\n]*(>|$)/).test(latin1(await read(entry.offset, 3)));
  }
  const tail = await read(byteOfBase(entry, entry.length - 1), 4);
  const endsInBase = tail.length > 0 && UPPER_CASE_DNA[tail[0]!] !== 0;
  return endsInBase && (after ?? /^([\r\n]+(>|$)|$)/).test(latin1(tail.subarray(1)));
}

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
