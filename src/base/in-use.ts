import { rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileError, InputError } from "./errors.ts";
import { kindOfPath, namesInFolder } from "./folder.ts";
import { tryParseJson } from "./json.ts";
import { markIn, markOfThisProcess, type ProcessMark, stateOf } from "./process.ts";
import { textIfPresent } from "./read-file.ts";
import { createFileAtomic, rename } from "./write-file.ts";

/** A mark that this process uses a file or folder, until `release()` or the end of the process. */
export interface InUse extends AsyncDisposable {
  release(): Promise<void>;
}

/** Folder of the marks, next to the file or folder, which can therefore be moved without them. */
const marksFolder = (path: string) => `${path}.in-use`;
const LAST = "last";

/**
 * Marks a file or folder of a cache as in use, which protects it from removal. Call it before opening the
 * file. A read-only cache needs no mark: nothing can be removed from it.
 */
export async function markInUse(path: string): Promise<InUse> {
  const mark = await markOfThisProcess();
  const folder = marksFolder(path);
  const file = join(folder, `${mark.nonce}.json`);
  try {
    await createFileAtomic(file, JSON.stringify(mark));
    await touch(join(folder, LAST));
    // Removes the marks of killed processes.
    await usersOf(path);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
  const release = async () => {
    await rm(file, { force: true }).catch(() => {});
    await touch(join(folder, LAST)).catch(() => {});
  };
  return { release, [Symbol.asyncDispose]: release };
}

async function touch(file: string): Promise<void> {
  const now = new Date();
  await utimes(file, now, now).catch(() => writeFile(file, ""));
}

/** Processes that use a path, including those on other machines. Removes marks of dead processes. */
export async function usersOf(path: string): Promise<readonly ProcessMark[]> {
  const folder = marksFolder(path);
  if ((await kindOfPath(folder)) !== "folder") return [];
  const here = await markOfThisProcess();
  const users: ProcessMark[] = [];
  for (const name of await namesInFolder(folder)) {
    if (!name.endsWith(".json")) continue;
    const file = join(folder, name);
    const mark = parseMark(await textIfPresent(file));
    if (mark === undefined || (await stateOf(mark, here)) === "dead") await rm(file, { force: true });
    else users.push(mark);
  }
  return users;
}

/** Time of the last use of a path; undefined if it was never used. */
export async function lastUse(path: string): Promise<Date | undefined> {
  const found = await stat(join(marksFolder(path), LAST)).catch(() => undefined);
  return found?.mtime;
}

/**
 * Removes an unused file or folder of a cache and its marks. A process that starts to use it at the same
 * moment either keeps it or finds it missing and creates it again.
 *
 * @returns true if it was removed
 * @throws {InputError} when it cannot be removed
 */
export async function removeUnlessUsed(path: string): Promise<boolean> {
  if ((await usersOf(path)).length > 0) return false;
  const { nonce } = await markOfThisProcess();
  const aside = `${path}.removing-${nonce}`;
  try {
    await rename(path, aside);
    if ((await usersOf(path)).length > 0) {
      // A new user may have created it again: the new one stays.
      const back = (await kindOfPath(path)) === undefined;
      if (back) await rename(aside, path);
      else await rm(aside, { recursive: true, force: true });
      return false;
    }
    await rm(aside, { recursive: true, force: true });
    await rm(marksFolder(path), { recursive: true, force: true });
    return true;
  } catch (error) {
    throw fileError(path, error);
  }
}

/** True for a name left behind by a removal that was killed. */
export const isBeingRemoved = (name: string): boolean => /\.removing-[0-9a-f]{16}$/.test(name);

/** True for the name of a folder of marks. */
export const isMarksFolder = (name: string): boolean => name.endsWith(".in-use");

const parseMark = (text: string | undefined) => markIn(tryParseJson(text ?? ""));
