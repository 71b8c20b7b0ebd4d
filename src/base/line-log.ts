import { type FileHandle, open, rm, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import { FormatError, fileError, InputError } from "./errors.ts";
import { makeFolder } from "./folder.ts";
import { fileChunks } from "./read-file.ts";
import { rename, temporaryPath } from "./write-file.ts";

/** Maximum bytes of a line: longer ones are damage, and exceed the length of a string. */
const MAX_LINE_LENGTH = 2 ** 28;

/** Extent of a log in bytes. */
export interface LogExtent {
  /** Complete lines, up to and including the last line end. */
  readonly whole: number;
  /** Incomplete line after them, left by an interrupted write. */
  readonly torn: number;
}

/**
 * Reads an append-only file of lines. Bytes after the last line end come from a killed writer: they are
 * counted, not visited.
 *
 * @param visit  called with each complete line without its end, its 1-based number, and the offset of the
 *               byte after its end; an error it throws stops the reading and propagates
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
    for await (const chunk of fileChunks(path)) {
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
        if (restLength > MAX_LINE_LENGTH) {
          throw new FormatError(
            { file: path, line: number + 1 },
            `the line is longer than ${MAX_LINE_LENGTH} bytes`,
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
 * Truncates a file to `bytes` bytes.
 * @throws {InputError} when the file cannot be written
 */
export async function truncateFile(path: string, bytes: number): Promise<void> {
  try {
    await truncate(path, bytes);
  } catch (error) {
    throw fileError(path, error);
  }
}

/** An append-only file with a single writer. */
export interface DurableLog {
  /**
   * Appends and flushes: afterwards the data survive a kill or a power failure. A failed append is rolled
   * back.
   */
  append(data: string): Promise<void>;
  /** Truncates the file to zero bytes. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** Buffer size of a copy in bytes. */
const COPY_BYTES = 2 ** 22;

/**
 * Opens a log for appending, as a new file: existing bytes are copied, and the copy replaces the old file. An
 * earlier writer that was taken for dead but still runs appends to the old file, which is not read again.
 *
 * @param keep  bytes of the existing file to keep; 0 if there is none
 * @throws {InputError} naming the path when the disk is full, read-only, or the folder may not be written
 */
export async function openDurableLog(path: string, keep: number): Promise<DurableLog> {
  const temporary = temporaryPath(path);
  try {
    await makeFolder(dirname(path));
    const file = await open(temporary, "ax");
    try {
      if (keep > 0) await copyStart(path, file, keep);
      await file.sync();
      await rename(temporary, path);
    } catch (error) {
      await file.close();
      await rm(temporary, { force: true });
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
    const piece = Buffer.alloc(Math.min(COPY_BYTES, bytes));
    for (let at = 0; at < bytes; ) {
      const { bytesRead } = await from.read(piece, 0, Math.min(piece.length, bytes - at), at);
      if (bytesRead === 0) throw new InputError("the file shrank during the read");
      await to.writeFile(piece.subarray(0, bytesRead));
      at += bytesRead;
    }
  } finally {
    await from.close();
  }
}

/** @param file  opened in append mode */
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
          // Truncating may fail too (a lost disk): report the original error.
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
