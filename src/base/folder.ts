import { access, constants, lstat, mkdir, mkdtemp, readdir, rm, stat, statfs } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { errorCode, fileError, InputError } from "./errors.ts";

/** What lies at a path, links followed: a regular file, a folder, or another thing; undefined when nothing does. */
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

/** @throws {InputError} unless there is a regular file at the path */
export async function checkIsFile(path: string): Promise<void> {
  const kind = await kindOfPath(path);
  if (kind === undefined) throw new InputError(`there is no file ${path}`);
  if (kind !== "file") throw new InputError("this is not a regular file", { place: { file: path } });
}

/** Names of the files and folders in a folder, sorted. @throws {InputError} when it cannot be listed */
export async function namesInFolder(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).sort();
  } catch (error) {
    throw fileError(path, error);
  }
}

/**
 * Makes a folder, and those around it that are missing; does nothing where it is there.
 *
 * Not with Node's `mkdir(…, { recursive: true })`: that tries for ever where the system answers "no such file" to the
 * making of a folder whose parent exists, as below /proc and on automounts whose server is away.
 *
 * @throws {InputError} naming the folder that cannot be made
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
      // Somebody else was first, which is as good.
      if (errorCode(error) === "EEXIST" && (await isFolder(folder))) continue;
      throw refusal(folder, error);
    }
  }
}

function refusal(folder: string, error: unknown): unknown {
  const place = { file: folder };
  if (errorCode(error) === "ENOENT") {
    return new InputError("no folder can be made here", { place, cause: error });
  }
  if (errorCode(error) === "EEXIST") {
    return new InputError("this is a file, or a link that leads nowhere; a folder was expected", {
      place,
      cause: error,
    });
  }
  return fileError(folder, error);
}

/** Links are followed. What cannot be looked at counts as missing: making it then says why. */
const isFolder = (path: string) =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/**
 * Says before any work whether a folder can be written, or made where it is missing. Writes nothing, so a full disk, and
 * what the system refuses for other reasons, is found only by writing.
 *
 * @throws {InputError} when it is a file, lies below one, or may not be written
 */
export async function expectWritableFolder(path: string): Promise<void> {
  for (let at = resolve(path); ; at = dirname(at)) {
    try {
      if (!(await stat(at)).isDirectory()) {
        throw new InputError("this is a file; a folder was expected", { place: { file: at } });
      }
      return await access(at, constants.W_OK | constants.X_OK);
    } catch (error) {
      const missing = errorCode(error) === "ENOENT";
      if (!missing || dirname(at) === at) throw fileError(at, error);
    }
  }
}

/**
 * The same of a file that is about to be written in one piece: its folder is what must be writable.
 * @throws {InputError} when it is a folder, or its folder may not be written
 */
export async function expectWritableFile(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) {
    throw new InputError("this is a folder; a file was expected", { place: { file: path } });
  }
  if (found !== undefined && !found.isFile()) return;
  await expectWritableFolder(dirname(resolve(path)));
}

/**
 * Paths of all files below a folder, relative to it with `/`, sorted. Links to files count as files, links to folders are
 * followed nowhere; names that begin with a point, locks and unfinished downloads are passed over.
 *
 * @throws {InputError} when a folder cannot be listed
 */
export async function filesBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  const waiting = [""];
  while (waiting.length > 0) {
    const below = waiting.pop()!;
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

export interface FolderSize {
  readonly files: number;
  readonly bytes: number;
  /** When the newest file was written; the beginning of 1970 where there is none. */
  readonly newest: Date;
}

/** Size of a file, or of everything below a folder; links are not followed, and what vanishes meanwhile does not count. */
export async function sizeBelow(path: string): Promise<FolderSize> {
  let files = 0;
  let bytes = 0;
  let newest = new Date(0);
  const waiting = [path];
  while (waiting.length > 0) {
    const at = waiting.pop()!;
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

/** Bytes of a file, links followed. @throws {InputError} when it is not there or may not be looked at */
export async function fileSize(path: string): Promise<number> {
  const { size } = await stat(path).catch((error) => Promise.reject(fileError(path, error)));
  return size;
}

/**
 * Bytes that this user can still write to the volume of a path. A path that does not exist yet counts as in its nearest parent.
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

/** A new folder where the system keeps what is temporary; `await using` removes it with all that is in it. */
export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
  remove(): Promise<void>;
}

/** @throws {InputError} when none can be made */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const prefix = join(tmpdir(), "dart-eval-");
  const path = await mkdtemp(prefix).catch((error) => Promise.reject(fileError(prefix, error)));
  const remove = () => rm(path, { recursive: true, force: true });
  return { path, remove, [Symbol.asyncDispose]: remove };
}

/**
 * A folder for what can be made again: $DART_EVAL_CACHE, or `dart-eval` in $XDG_CACHE_HOME, or in ~/.cache.
 * It may not exist yet. A relative XDG_CACHE_HOME does not count, as its specification asks.
 *
 * @see https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function cacheFolder(...parts: string[]): string {
  return join(process.env.DART_EVAL_CACHE || join(userCacheFolder(), "dart-eval"), ...parts);
}

/** $XDG_CACHE_HOME, or ~/.cache: the folder that all programs of this user share. */
export function userCacheFolder(): string {
  const xdg = process.env.XDG_CACHE_HOME ?? "";
  return isAbsolute(xdg) ? xdg : join(homedir(), ".cache");
}

/** Whether a path from a stranger, parts separated by `/`, stays inside the folder it is put into, on any system. */
export function isInsidePath(path: string): boolean {
  return (
    path.length < 1024 &&
    path
      .split("/")
      .every((part) => part !== "" && part !== "." && part !== ".." && !/[\\:\0]|[. ]$/.test(part))
  );
}
