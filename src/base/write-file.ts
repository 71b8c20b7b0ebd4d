import { randomBytes } from "node:crypto";
import { open, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { InputError } from "./errors.ts";
import { fileTrouble } from "./file-trouble.ts";
import { kindOfPath, namesInFolder } from "./folder.ts";
import { makeFolder } from "./make-folder.ts";
import { rename } from "./rename.ts";

/**
 * Writes a file that is whole or absent, whatever stops the process: into a temporary file beside it, flushed to the
 * disk, then renamed over `path`. Missing folders are made. Pieces are written as they come, one in memory at a time;
 * what their source throws is thrown on, and leaves nothing behind. A device or a pipe, such as /dev/stdout, is written to
 * as it is: nothing is ever put in its place.
 *
 * @throws {InputError} naming the path when it is a folder, the disk is full, read-only, or the folder may not be written
 */
export async function writeFileWhole(
  path: string,
  data: string | Uint8Array | Iterable<string> | AsyncIterable<string | Uint8Array>,
): Promise<void> {
  const folder = dirname(path);
  const beside = unfinishedPath(path);
  try {
    if (await isStream(path)) return await writeFile(path, data, { flag: "a" });
    await makeFolder(folder);
    const file = await open(beside, "wx");
    try {
      try {
        await writeFile(file, data);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(beside, path);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
    await flushFolder(folder);
  } catch (error) {
    throw fileTrouble(path, error);
  }
}

/** A new path in a file's folder for what is to become the file; `removeUnfinished` finds it. */
export function unfinishedPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`);
}

/** End of a temporary name: of the file itself, or of a lock's successor or heartbeat. */
const UNFINISHED = /^(?:(?:after|beat)-[0-9a-f]{16}\.)?\d+\.[0-9a-f]{8}\.tmp$/;

/**
 * Removes what processes that were killed while they wrote a file left beside it. Only for a caller that knows that nobody
 * writes it now, such as the holder of a lock.
 */
export async function removeUnfinished(path: string): Promise<void> {
  const folder = dirname(path);
  if ((await kindOfPath(folder)) !== "folder") return;
  const beginning = `.${basename(path)}.`;
  for (const name of await namesInFolder(folder)) {
    const isLeft = name.startsWith(beginning) && UNFINISHED.test(name.slice(beginning.length));
    if (isLeft) await rm(join(folder, name), { force: true });
  }
}

/**
 * Adds to the end of a file and waits until it lies on the disk. Missing folders and the file are made.
 * When writing fails half way, the file is cut back to what it was. For one writer at a time.
 *
 * @throws {InputError} naming the path when the disk is full, read-only, or the file may not be written
 */
export async function appendDurably(path: string, data: string | Uint8Array): Promise<void> {
  try {
    await makeFolder(dirname(path));
    const file = await open(path, "a");
    try {
      const { size } = await file.stat();
      try {
        await file.writeFile(data);
        await file.sync();
      } catch (error) {
        // Cutting back may fail as well (a device, a lost disk); why writing failed is what to report.
        await file.truncate(size).catch(() => {});
        throw error;
      }
      if (size === 0) await flushFolder(dirname(path));
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fileTrouble(path, error);
  }
}

/** Makes a rename or a new name in a folder last through a power cut. */
async function flushFolder(folder: string): Promise<void> {
  // Windows cannot open a folder; its file system keeps renames by itself.
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Whether a path leads to something that is no file on a disk: a terminal, a pipe, /dev/null, or /dev/stdout wherever that
 * leads.
 * @throws {InputError} when it is a folder
 */
export async function isStream(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) {
    throw new InputError("this is a folder; a file was expected", { place: { file: path } });
  }
  return found !== undefined && (!found.isFile() || /^\/(dev|proc)\//.test(path));
}
