import { randomBytes } from "node:crypto";
import { copyFile, link, open, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import gracefulFs from "graceful-fs";
import { errorCode, fileError, InputError } from "./errors.ts";
import { kindOfPath, makeFolder, namesInFolder } from "./folder.ts";

/**
 * Writes a file that is whole or absent, whatever stops the process: into a temporary file beside it, flushed to the
 * disk, then renamed over `path`. Missing folders are made. Pieces are written as they come, one in memory at a time;
 * what their source throws is thrown on, and leaves nothing behind. A device or a pipe, such as /dev/stdout, is written to
 * as it is: nothing is ever put in its place.
 *
 * @throws {InputError} naming the path when it is a folder, the disk is full, read-only, or the folder may not be written
 */
export async function writeFileAtomic(
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
    throw fileError(path, error);
  }
}

/**
 * Writes a file that can be made again, such as a cached digest or the index of a genome. A folder that may not be
 * written, or a full disk, costs time later and is no error.
 */
export async function writeCacheFile(path: string, data: string | Uint8Array): Promise<void> {
  try {
    await writeFileAtomic(path, data);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
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
    throw fileError(path, error);
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

/** What a file system without hard links answers. */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/**
 * Makes a file with this content if there is none of that name: of several processes, on one machine or on several
 * that share the folder, exactly one is told true. Nobody ever sees the file half written.
 *
 * The content goes into a temporary file, which is then linked to the name. Where the file system has no hard
 * links the file is opened exclusively instead; then a reader may, for an instant, see it empty.
 *
 * @returns false when a file of that name exists; it is left as it is
 * @throws {InputError} naming the path when the disk is full, read-only, or the folder may not be written
 */
export async function createFileAtomic(path: string, data: string | Uint8Array): Promise<boolean> {
  const beside = unfinishedPath(path);
  try {
    await makeFolder(dirname(path));
    const file = await open(beside, "wx");
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    try {
      await link(beside, path);
    } catch (error) {
      // The holder of a lock takes unfinished files for those of killed processes and removes them.
      if (errorCode(error) === "ENOENT") return await createFileAtomic(path, data);
      if (!NO_LINKS.has(errorCode(error))) throw error;
      await writeFile(path, data, { flag: "wx", flush: true });
    }
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw fileError(path, error);
  } finally {
    await rm(beside, { force: true });
  }
}

/**
 * Makes `link` a symbolic link to `target`, relative, so that the folder around both can be moved. What was at `link`
 * is replaced at once, never missing in between. Where links may not be made, as on some Windows, it becomes a copy.
 *
 * @throws {InputError} naming the link when the folder may not be written
 */
export async function linkFile(target: string, link: string): Promise<void> {
  const folder = dirname(resolve(link));
  const path = relative(folder, resolve(target));
  if ((await readlink(link).catch(() => undefined)) === path) return;
  const beside = unfinishedPath(link);
  try {
    await makeFolder(folder);
    await symlink(path, beside).catch(async (error) => {
      if (process.platform !== "win32") throw error;
      await copyFile(target, beside);
    });
    await rename(beside, link);
  } catch (error) {
    await rm(beside, { force: true });
    throw fileError(link, error);
  }
}

/** Removes a file; nothing happens when there is none. @throws {InputError} when it may not be removed */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true }).catch((error) => Promise.reject(fileError(path, error)));
}

/**
 * Renames a file or folder. On Windows, where a virus scanner or an indexer may hold a new file for a moment, it tries again
 * for up to a minute.
 *
 * @throws the system's error
 */
export const rename: (from: string, to: string) => Promise<void> = promisify(gracefulFs.rename);
