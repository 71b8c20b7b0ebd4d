import { truncate } from "node:fs/promises";
import { FormatError } from "./errors.ts";
import { filePieces } from "./file-pieces.ts";
import { fileTrouble } from "./file-trouble.ts";

/** A longer line was not written by a program that adds one at a time, and could not be one text. */
const LONGEST_LINE = 2 ** 28;

/** How much of a log is whole. */
export interface LogExtent {
  /** Bytes up to and including the last line end. */
  readonly whole: number;
  /** Bytes after it: a line whose writing was interrupted. */
  readonly torn: number;
}

/**
 * Reads a file of lines that is only ever added to. A line counts when its line end is there; what follows the
 * last line end is what a killed writer left, and is counted but not visited.
 *
 * @param visit  called with each whole line without its end, its 1-based number, and the offset of the byte after its
 *               end; what it throws stops the reading and is thrown on
 * @throws {InputError} when the file cannot be read
 * @throws {FormatError} when a line is longer than 256 MiB
 */
export async function readLineLog(
  path: string,
  visit: (text: string, number: number, end: number) => void,
): Promise<LogExtent> {
  let number = 0;
  let whole = 0;
  let rest: Buffer[] = [];
  let restLength = 0;
  try {
    for await (const chunk of filePieces(path)) {
      let start = 0;
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
        const piece = chunk.subarray(start, end);
        const line = rest.length === 0 ? piece : Buffer.concat([...rest, piece]);
        whole += line.length + 1;
        rest = [];
        restLength = 0;
        start = end + 1;
        visit(line.toString("utf8"), ++number, whole);
      }
      if (start < chunk.length) {
        rest.push(chunk.subarray(start));
        restLength += chunk.length - start;
        if (restLength > LONGEST_LINE) {
          throw new FormatError(
            { file: path, line: number + 1 },
            `the line is longer than ${LONGEST_LINE} bytes`,
          );
        }
      }
    }
  } catch (error) {
    throw fileTrouble(path, error);
  }
  return { whole, torn: restLength };
}

/**
 * Cuts a file to its first `bytes` bytes.
 * @throws {InputError} when it may not be written
 */
export async function cutFile(path: string, bytes: number): Promise<void> {
  try {
    await truncate(path, bytes);
  } catch (error) {
    throw fileTrouble(path, error);
  }
}
