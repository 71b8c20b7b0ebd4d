import { type FileHandle, open, rm, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import { FormatError, fileError, InputError } from "./errors.ts";
import { makeFolder } from "./folder.ts";
import { filePieces } from "./read-file.ts";
import { rename, unfinishedPath } from "./write-file.ts";

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
    throw fileError(path, error);
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
    throw fileError(path, error);
  }
}

/** A file that one process adds to, and nobody else. */
export interface DurableLog {
  /** Adds to the end; when this returns, the data survive a kill and a power cut. A failed addition is cut off again. */
  append(data: string): Promise<void>;
  /** Empties the file. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** Bytes copied at once. */
const PIECE = 2 ** 22;

/**
 * Opens a log for adding to it, as a file of its own: what is there is copied into a new file, which takes the old one's
 * name. An earlier writer that only seemed to be dead may still hold the old file open; whatever it adds there is never read.
 *
 * @param keep  bytes of the present file to keep, 0 where there is none
 * @throws {InputError} naming the path when the disk is full, read-only, or the folder may not be written
 */
export async function openDurableLog(path: string, keep: number): Promise<DurableLog> {
  const beside = unfinishedPath(path);
  try {
    await makeFolder(dirname(path));
    const file = await open(beside, "ax");
    try {
      if (keep > 0) await copyStart(path, file, keep);
      await file.sync();
      await rename(beside, path);
    } catch (error) {
      await file.close();
      await rm(beside, { force: true });
      throw error;
    }
    return logOf(path, file, keep);
  } catch (error) {
    throw fileError(path, error);
  }
}

async function copyStart(path: string, to: FileHandle, bytes: number): Promise<void> {
  const from = await open(path, "r");
  try {
    const piece = Buffer.alloc(Math.min(PIECE, bytes));
    for (let at = 0; at < bytes; ) {
      const { bytesRead } = await from.read(piece, 0, Math.min(piece.length, bytes - at), at);
      if (bytesRead === 0) throw new InputError("this file became shorter while it was read");
      await to.writeFile(piece.subarray(0, bytesRead));
      at += bytesRead;
    }
  } finally {
    await from.close();
  }
}

/** @param file  open for appending, so that whatever is written goes to its end */
function logOf(path: string, file: FileHandle, begin: number): DurableLog {
  let size = begin;
  const guarded = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      throw fileError(path, error);
    }
  };
  return {
    append: (data) =>
      guarded(async () => {
        const bytes = Buffer.from(data);
        try {
          await file.writeFile(bytes);
          await file.sync();
        } catch (error) {
          // Cutting back may fail as well (a lost disk); why writing failed is what to report.
          await file.truncate(size).catch(() => {});
          throw error;
        }
        size += bytes.length;
      }),
    clear: () =>
      guarded(async () => {
        await file.truncate(0);
        size = 0;
      }),
    close: () => file.close(),
  };
}
