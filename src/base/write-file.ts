import { randomBytes } from "node:crypto";
import { copyFile, link, open, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import gracefulFs from "graceful-fs";
import { errorCode, fileError, InputError } from "./errors.ts";
import { kindOfPath, makeFolder, namesInFolder } from "./folder.ts";

/**
 * Writes a file atomically: to a temporary file in the same folder, flushed to the disk, then renamed to
 * `path`. Creates missing folders. Chunks are streamed; an error of their source propagates and leaves no
 * file. Devices and pipes, such as /dev/stdout, are written directly.
 *
 * @throws {InputError} naming the path when it is a folder or not writable, or the disk is full or read-only
 */
export async function writeFileAtomic(path: string, data: FileData): Promise<void> {
  if (await isStream(path)) {
    await writeFile(path, data, { flag: "a" }).catch((error) => Promise.reject(fileError(path, error)));
    return;
  }
  const staged = await stageFile(path, data);
  await staged.commit();
}

/** Contents of a file: whole, or in chunks. */
export type FileData = string | Uint8Array | Iterable<string> | AsyncIterable<string | Uint8Array>;

/** A complete temporary file in the folder of its target. */
export interface StagedFile {
  /** Renames it to its path. @throws {InputError} naming the path; the temporary file is then removed */
  commit(): Promise<void>;
  /** Removes it. */
  discard(): Promise<void>;
}

/** Writes the temporary file of `writeFileAtomic`, for several files that must appear together. */
export async function stageFile(path: string, data: FileData): Promise<StagedFile> {
  const folder = dirname(path);
  const temporary = temporaryPath(path);
  const discard = () => rm(temporary, { force: true });
  try {
    await makeFolder(folder);
    const file = await open(temporary, "wx");
    try {
      try {
        await writeFile(file, data);
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (error) {
      await discard();
      throw error;
    }
  } catch (error) {
    throw fileError(path, error);
  }
  return {
    async commit() {
      try {
        await rename(temporary, path);
        await flushFolder(folder);
      } catch (error) {
        await discard();
        throw fileError(path, error);
      }
    },
    discard,
  };
}

/**
 * Writes a file that can be recomputed, such as a cached digest or a genome index. A read-only folder or a
 * full disk is not an error: it only costs time later.
 */
export async function writeCacheFile(path: string, data: string | Uint8Array): Promise<void> {
  try {
    await writeFileAtomic(path, data);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
}

/** Unique temporary path in the folder of a file. `removeTemporaryFiles` recognises it. */
export function temporaryPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`);
}

/**
 * Time in milliseconds since 1970 by the clock that dates the files in the folder of `path`: on a network
 * disk, that of its server. Creates and removes an empty temporary file of `path`; where it cannot, the time
 * is that of this machine.
 */
export async function diskTime(path: string): Promise<number> {
  const temporary = temporaryPath(path);
  try {
    const file = await open(temporary, "wx");
    try {
      return (await file.stat()).mtimeMs;
    } finally {
      await file.close();
      await rm(temporary, { force: true });
    }
  } catch {
    return Date.now();
  }
}

/** Suffix of a temporary name: of the file itself, or of a lock's successor or heartbeat. */
const TEMPORARY = /^(?:(?:after|beat)-[0-9a-f]{16}\.)?\d+\.[0-9a-f]{8}\.tmp$/;

/**
 * Removes temporary files of a path, left by killed writers. The caller must know that nobody is writing the
 * file, for instance by holding its lock.
 */
export async function removeTemporaryFiles(path: string): Promise<void> {
  const folder = dirname(path);
  if ((await kindOfPath(folder)) !== "folder") return;
  const prefix = `.${basename(path)}.`;
  for (const name of await namesInFolder(folder)) {
    const isTemporary = name.startsWith(prefix) && TEMPORARY.test(name.slice(prefix.length));
    if (isTemporary) await rm(join(folder, name), { force: true });
  }
}

/**
 * Appends to a file and flushes it to the disk. Creates the file and missing folders. A failed append is
 * rolled back. Supports one writer at a time.
 *
 * @throws {InputError} naming the path when it is not writable, or the disk is full or read-only
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
        // Truncating may fail too (a device, a lost disk): report the original error.
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

/** Flushes a folder, so that a rename or new name in it survives a power failure. */
async function flushFolder(folder: string): Promise<void> {
  // Windows cannot open a folder; NTFS journals renames itself.
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * True for a path that is not a file on a disk: a terminal, a pipe, /dev/null, or any redirection of
 * /dev/stdout.
 * @throws {InputError} when it is a folder
 */
export async function isStream(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) {
    throw new InputError("this is a folder; expected a file", { place: { file: path } });
  }
  // A redirected /dev/stdout is a regular file; so is any file of /dev/shm, which is no stream.
  return found !== undefined && (!found.isFile() || /^\/(dev\/(std(in|out|err)$|fd\/)|proc\/)/.test(path));
}

/** Error codes of file systems without hard links. */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/**
 * Creates a file if it does not exist. Of several processes, also on machines that share the folder, exactly
 * one gets true. No reader sees a partial file.
 *
 * The contents go to a temporary file, which is then linked to the name. On a file system without hard links
 * the file is opened exclusively instead, and a reader may briefly see it empty.
 *
 * @returns false if the file exists; it is not changed
 * @throws {InputError} naming the path when it is not writable, or the disk is full or read-only
 */
export async function createFileAtomic(path: string, data: string | Uint8Array): Promise<boolean> {
  const temporary = temporaryPath(path);
  try {
    await makeFolder(dirname(path));
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    try {
      await link(temporary, path);
    } catch (error) {
      // The holder of a lock may have removed the temporary file as that of a killed process.
      if (errorCode(error) === "ENOENT") return await createFileAtomic(path, data);
      if (!NO_LINKS.has(errorCode(error))) throw error;
      await writeFile(path, data, { flag: "wx", flush: true });
    }
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw fileError(path, error);
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * Makes `link` a relative symbolic link to `target`, so that their common folder can be moved. Replaces an
 * existing file atomically. On Windows without permission to create links, copies the file instead.
 *
 * @throws {InputError} naming the link when its folder is not writable
 */
export async function linkFile(target: string, link: string): Promise<void> {
  const folder = dirname(resolve(link));
  const path = relative(folder, resolve(target));
  if ((await readlink(link).catch(() => undefined)) === path) return;
  const temporary = temporaryPath(link);
  try {
    await makeFolder(folder);
    await symlink(path, temporary).catch(async (error) => {
      if (process.platform !== "win32") throw error;
      await copyFile(target, temporary);
    });
    await rename(temporary, link);
  } catch (error) {
    await rm(temporary, { force: true });
    throw fileError(link, error);
  }
}

/** Removes a file if it exists. @throws {InputError} when it cannot be removed */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true }).catch((error) => Promise.reject(fileError(path, error)));
}

/**
 * Renames a file or folder. On Windows retries for up to a minute, because a virus scanner or indexer may
 * briefly lock a new file.
 *
 * @throws {Error} the system error
 */
export const rename: (from: string, to: string) => Promise<void> = promisify(gracefulFs.rename);
