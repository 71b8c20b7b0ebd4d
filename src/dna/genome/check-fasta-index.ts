import { FormatError } from "../../base/errors.ts";
import { quotedText } from "../../base/message-text.ts";
import type { ReadText } from "./bgzip.ts";
import { showByte, UPPER_CASE_DNA } from "./dna-bytes.ts";
import { byteOfBase, type FastaIndexEntry } from "./fasta-index.ts";

/** Entries compared with the file, evenly spread over the index. */
const ENTRIES_CHECKED = 256;
/** How far before a sequence its header line is looked for: most are short, some say everything. */
const HEADER_REACH = [512, 2 ** 20];

/** Bytes looked at after a sequence's last base: a line end, and blanks that some writers leave before it. */
const END_REACH = 256;

/**
 * Compares an index with its file: before each sequence there must be its header line, after its last base a line end and
 * then another header, and after the last sequence nothing. So an index of another file, or from before an edit, does not
 * pass.
 *
 * @throws {FormatError} when an entry does not fit, or a sequence ends in a letter that is not DNA
 */
export async function checkFastaIndex(
  entries: readonly FastaIndexEntry[],
  read: ReadText,
  path: string,
): Promise<void> {
  const step = Math.max(1, entries.length / ENTRIES_CHECKED);
  for (let i = 0; i < entries.length; i += step) {
    const entry = entries[Math.floor(i)]!;
    if (!(await headerFits(entry, read))) throw stale(entry.name, path);
    await checkEnd(entry, read, path);
  }
  const last = entries.reduce((a, b) => (b.offset >= a.offset ? b : a));
  await checkEnd(last, read, path, { isLast: true });
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

async function checkEnd(
  entry: FastaIndexEntry,
  read: ReadText,
  path: string,
  { isLast = false } = {},
): Promise<void> {
  const { name, offset, length } = entry;
  const end = length === 0 ? offset : byteOfBase(entry, length - 1) + 1;
  const behind = Buffer.from(await read(end, END_REACH)).toString("latin1");
  const lineEnd = length === 0 || /^[ \t]*([\r\n]|$)/.test(behind);
  if (!lineEnd || !(isLast ? /^\s*$/ : /^\s*(>|$)/).test(behind)) throw stale(name, path);
  if (length === 0) return;
  const [base] = await read(end - 1, 1);
  if (base === undefined || /\s/.test(String.fromCharCode(base))) throw stale(name, path);
  if (UPPER_CASE_DNA[base] === 0) throw foreign(name, length - 1, base, path);
}

/** What to say of a letter in a sequence that is not a base, by its 0-based position. */
export function foreign(name: string, position: number, byte: number, path: string): FormatError {
  return new FormatError(
    { file: path },
    `${showByte(byte)} at base ${position + 1} of sequence ${quotedText(name)} is not a DNA letter`,
    "is this a FASTA file of nucleotides?",
  );
}
