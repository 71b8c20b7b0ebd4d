import { randomBytes } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { InputError } from "./errors.ts";
import { fileTrouble } from "./file-trouble.ts";
import { makeFolder } from "./make-folder.ts";
import { rename } from "./rename.ts";

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
  const beside = join(
    dirname(path),
    `.${basename(path)}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`,
  );
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
    throw fileTrouble(path, error);
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
      throw fileTrouble(path, error);
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
