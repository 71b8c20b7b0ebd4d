import { FormatError } from "./errors.ts";
import { unpackedBytes } from "./gzip.ts";

/** A line without its end (LF or CRLF), and its number as editors count, from 1. */
export interface TextLine {
  readonly text: string;
  readonly number: number;
}

/** A longer line is no row of a table: the file is binary, or has lost its line ends. */
const LONGEST_LINE = 2 ** 24;

/**
 * Lines of a text file that may be compressed with gzip or bgzip (known by its first bytes, not by its name).
 * Text is UTF-8; a byte-order mark is dropped; a last line without an end counts; an empty file has no lines.
 *
 * @throws {InputError} when the file cannot be read
 * @throws {FormatError} when the compressed data is damaged or cut off, or a line is longer than 16 MiB
 */
export async function* textLines(path: string): AsyncGenerator<TextLine> {
  let number = 0;
  for await (const lines of lineBatches(path)) {
    for (const text of lines) yield { text, number: ++number };
  }
}

/**
 * `textLines` for tables of millions of rows: `visit` is called for each line, without a promise for each.
 * What `visit` throws stops the reading and is thrown on.
 */
export async function forEachLine(
  path: string,
  visit: (text: string, number: number) => void,
): Promise<void> {
  let number = 0;
  for await (const lines of lineBatches(path)) {
    for (const text of lines) visit(text, ++number);
  }
}

async function* lineBatches(path: string): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = "";
  let before = 0;
  for await (const chunk of unpackedBytes(path)) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    if (rest.length > LONGEST_LINE) {
      throw new FormatError(
        { file: path, line: before + lines.length + 1 },
        `the line is longer than ${LONGEST_LINE} letters`,
        "is this a text file?",
      );
    }
    for (let i = 0; i < lines.length; i++) lines[i] = withoutReturn(lines[i]);
    before += lines.length;
    yield lines;
  }
  rest += decoder.decode();
  if (rest !== "") yield [withoutReturn(rest)];
}

/** A copy of a slice of a line. The slice itself would keep the whole piece of the file in memory. */
export const copyText = (slice: string): string => Buffer.from(slice).toString();

/** Keeps one copy of each distinct string: for columns of few values, such as chromosome names. */
export class StringPool {
  private readonly copies = new Map<string, string>();

  /** The pool's copy of the text. */
  intern(text: string): string {
    const known = this.copies.get(text);
    if (known !== undefined) return known;
    const copy = copyText(text);
    this.copies.set(copy, copy);
    return copy;
  }
}

const withoutReturn = (line: string) => (line.endsWith("\r") ? line.slice(0, -1) : line);
