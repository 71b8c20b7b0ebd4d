import {
  access,
  constants,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  realpath,
  rename,
  rm,
  stat,
  statfs,
} from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { errorCode, fileError, InputError } from "./errors.ts";

/** Kind of a path after following links; undefined if nothing exists there. */
export async function kindOfPath(path: string): Promise<"file" | "folder" | "other" | undefined> {
  try {
    const found = await stat(path);
    if (found.isFile()) return "file";
    return found.isDirectory() ? "folder" : "other";
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(errorCode(error))) {
      return undefined;
    }
    throw fileError(path, error);
  }
}

/** @throws {InputError} unless the path is a regular file */
export async function checkIsFile(path: string): Promise<void> {
  const kind = await kindOfPath(path);
  if (kind === undefined) throw new InputError("no such file", { place: { file: path } });
  if (kind === "folder") throw new InputError("this is a folder; expected a file", { place: { file: path } });
  if (kind !== "file") throw new InputError("this is not a regular file", { place: { file: path } });
}

/** Sorted names of the files and folders in a folder. @throws {InputError} when it cannot be listed */
export async function namesInFolder(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).sort();
  } catch (error) {
    throw fileError(path, error);
  }
}

/**
 * Creates a folder and its missing parents; an existing folder is not an error.
 *
 * Node's `mkdir(…, { recursive: true })` loops forever when the system reports ENOENT for a folder whose
 * parent exists, as below /proc and on automounts without a server.
 *
 * @throws {InputError} naming the folder that cannot be created
 */
export async function makeFolder(path: string): Promise<void> {
  const missing: string[] = [];
  for (let folder = resolve(path); !(await isFolder(folder)); folder = dirname(folder)) {
    missing.unshift(folder);
    if (dirname(folder) === folder) break;
  }
  for (const folder of missing) {
    try {
      await mkdir(folder);
    } catch (error) {
      // Another process created it first.
      if (errorCode(error) === "EEXIST" && (await isFolder(folder))) continue;
      throw mkdirError(folder, error);
    }
  }
}

function mkdirError(folder: string, error: unknown): unknown {
  const place = { file: folder };
  if (errorCode(error) === "ENOENT") {
    return new InputError("no folder can be created here", { place, cause: error });
  }
  if (errorCode(error) === "EEXIST") {
    return new InputError("this is a file or a broken link; expected a folder", {
      place,
      cause: error,
    });
  }
  return fileError(folder, error);
}

/** Follows links. A path that cannot be examined counts as missing: creating it then reports why. */
const isFolder = (path: string) =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** True if both paths are, after following links, one existing file. */
export async function isSameFile(first: string, second: string): Promise<boolean> {
  const [one, other] = await Promise.all(
    [first, second].map((path) => realpath(path).catch(() => undefined)),
  );
  return one !== undefined && one === other && (await kindOfPath(one)) === "file";
}

/**
 * Checks, without writing, that a folder is writable or can be created. Does not detect a full disk.
 *
 * @throws {InputError} when the path or one of its parents is a file, or is not writable
 */
export async function checkWritableFolder(path: string): Promise<void> {
  for (let at = resolve(path); ; at = dirname(at)) {
    try {
      if (!(await stat(at)).isDirectory()) {
        throw new InputError("this is a file; expected a folder", { place: { file: at } });
      }
      return await access(at, constants.W_OK | constants.X_OK);
    } catch (error) {
      const missing = errorCode(error) === "ENOENT";
      if (!missing || dirname(at) === at) throw fileError(at, error);
    }
  }
}

/**
 * Checks, without writing, that a file can be written by `writeFileAtomic`, which needs a writable folder.
 * @throws {InputError} when the path is a folder, or its folder is not writable
 */
export async function checkWritableFile(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) {
    throw new InputError("this is a folder; expected a file", { place: { file: path } });
  }
  if (found !== undefined && !found.isFile()) return;
  await checkWritableFolder(dirname(resolve(path)));
}

/**
 * Sorted paths of all files below a folder, relative to it and separated by `/`. Links count as files and are
 * not followed. Hidden files, locks and partial downloads are skipped.
 *
 * @throws {InputError} when a folder cannot be listed
 */
export async function filesBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  const waiting = [""];
  for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
    const path = join(folder, below);
    const entries = await readdir(path, { withFileTypes: true }).catch((error) =>
      Promise.reject(fileError(path, error)),
    );
    for (const entry of entries) {
      if (/^\.|\.(lock|part)$|\.lock\.after-/.test(entry.name)) continue;
      const name = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) waiting.push(name);
      else if (entry.isFile() || entry.isSymbolicLink()) found.push(name);
    }
  }
  return found.sort();
}

/** Size of a file or folder tree. */
export interface FolderSize {
  readonly files: number;
  readonly bytes: number;
  /** Modification time of the newest file; 1970-01-01 if there is none. */
  readonly newest: Date;
}

/** Total size below a path. Links are not followed; files that disappear during the walk do not count. */
export async function sizeBelow(path: string): Promise<FolderSize> {
  let files = 0;
  let bytes = 0;
  let newest = new Date(0);
  const waiting = [path];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    try {
      const found = await lstat(at);
      if (found.isDirectory()) for (const name of await readdir(at)) waiting.push(join(at, name));
      else {
        files++;
        bytes += found.size;
        if (found.mtime > newest) newest = found.mtime;
      }
    } catch (error) {
      if (errorCode(error) === "ENOENT") continue;
      throw fileError(at, error);
    }
  }
  return { files, bytes, newest };
}

/** Size of a file in bytes, links followed. @throws {InputError} when it cannot be examined */
export async function fileSize(path: string): Promise<number> {
  const { size } = await stat(path).catch((error) => Promise.reject(fileError(path, error)));
  return size;
}

/**
 * Free bytes for this user on the volume of a path, or of its nearest existing parent.
 * @throws {InputError} when the volume cannot be examined
 */
export async function freeSpace(path: string): Promise<number> {
  for (let at = resolve(path); ; at = dirname(at)) {
    try {
      const { bavail, bsize } = await statfs(at);
      return bavail * bsize;
    } catch (error) {
      const missing = errorCode(error) === "ENOENT";
      if (!missing || dirname(at) === at) throw fileError(at, error);
    }
  }
}

/**
 * Creates a folder with its contents at once: `write` fills a folder next to it, which is then renamed. A
 * folder that exists, or that another process creates meanwhile, stays.
 *
 * @throws {InputError} when the folder cannot be created, or as `write`
 */
export async function createFolderAtomic(
  path: string,
  write: (partial: string) => Promise<void>,
): Promise<void> {
  if ((await kindOfPath(path)) === "folder") return;
  const partial = `${path}.partial-${process.pid}`;
  const remove = () => rm(partial, { recursive: true, force: true });
  await remove();
  try {
    await write(partial);
    await rename(partial, path).catch(async (error) => {
      if ((await kindOfPath(path)) !== "folder") throw fileError(path, error);
    });
  } finally {
    await remove();
  }
}

/** A new folder in the temporary directory; `await using` removes it with its contents. */
export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
  remove(): Promise<void>;
}

/** @throws {InputError} when the folder cannot be created */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const prefix = join(tmpdir(), "dart-eval-");
  const path = await mkdtemp(prefix).catch((error) => Promise.reject(fileError(prefix, error)));
  const remove = () => rm(path, { recursive: true, force: true });
  return { path, remove, [Symbol.asyncDispose]: remove };
}

/**
 * The cache folder: $DART_EVAL_CACHE, or `dart-eval` in $XDG_CACHE_HOME or ~/.cache. It may not exist yet. A
 * relative XDG_CACHE_HOME is ignored, as the specification requires.
 *
 * @see https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function cacheFolder(...parts: string[]): string {
  return join(process.env.DART_EVAL_CACHE || join(userCacheFolder(), "dart-eval"), ...parts);
}

/** $XDG_CACHE_HOME or ~/.cache, shared by all programs of this user. */
export function userCacheFolder(): string {
  const xdg = process.env.XDG_CACHE_HOME ?? "";
  return isAbsolute(xdg) ? xdg : join(homedir(), ".cache");
}

/**
 * True if an untrusted relative path, separated by `/`, stays inside its folder on every operating system.
 */
export function isInsidePath(path: string): boolean {
  return (
    path.length < 1024 &&
    path
      .split("/")
      .every((part) => part !== "" && part !== "." && part !== ".." && !/[\\:\0]|[. ]$/.test(part))
  );
}
