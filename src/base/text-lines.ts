import { FormatError } from "./errors.ts";
import { unpackedBytes } from "./gzip.ts";

/** A line without its line end (LF or CRLF), and its 1-based number. */
export interface TextLine {
  readonly text: string;
  readonly number: number;
}

/** Maximum characters of a line; a longer one indicates a binary file or missing line ends. */
const MAX_LINE_LENGTH = 2 ** 24;

/**
 * Lines of a UTF-8 text file, plain or compressed with gzip or bgzip (recognised by its first bytes, not its
 * name). Drops a byte-order mark. The last line needs no line end; an empty file has no lines.
 *
 * @throws {InputError} when the file cannot be read
 * @throws {FormatError} when the compressed data is damaged or truncated, or a line is longer than 2^24
 *   characters
 */
export async function* textLines(path: string): AsyncGenerator<TextLine> {
  let number = 0;
  for await (const lines of lineBatches(path)) {
    for (const text of lines) yield { text, number: ++number };
  }
}

/**
 * `textLines` with a callback, for files of millions of lines: no promise per line. An error thrown by
 * `visit` stops the reading and propagates.
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
    rest = lines.pop() ?? "";
    if (rest.length > MAX_LINE_LENGTH) {
      throw new FormatError(
        { file: path, line: before + lines.length + 1 },
        `the line is longer than ${MAX_LINE_LENGTH} characters`,
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

/** Copies a slice of a line. The slice itself would keep its chunk of the file in memory. */
export const copyText = (slice: string): string => Buffer.from(slice).toString();

/** Shared copies of repeated strings, for columns with few distinct values such as chromosome names. */
export class StringPool {
  private readonly copies = new Map<string, string>();

  /** The shared copy of a text. */
  intern(text: string): string {
    const known = this.copies.get(text);
    if (known !== undefined) return known;
    const copy = copyText(text);
    this.copies.set(copy, copy);
    return copy;
  }
}

/** Removes the CR of a CRLF line end. */
const withoutReturn = (line: string) => (line.endsWith("\r") ? line.slice(0, -1) : line);
