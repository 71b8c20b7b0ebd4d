import { rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileError, InputError } from "./errors.ts";
import { kindOfPath, namesInFolder } from "./folder.ts";
import { markOfThisProcess, type ProcessMark, stateOf } from "./process.ts";
import { textIfPresent } from "./read-file.ts";
import { createFileAtomic, rename } from "./write-file.ts";

/** Lasts until it is released, or until the process ends. */
export interface InUse extends AsyncDisposable {
  release(): Promise<void>;
}

/** Where the users of a file or folder leave their marks: beside it, so that it can be moved without them. */
const marksFolder = (path: string) => `${path}.in-use`;
const LAST = "last";

/**
 * Says that this process uses a file or folder of a cache, so that it is not removed meanwhile. To be called before the file
 * is opened. Where marks cannot be written, nothing can be removed either, and nothing is said.
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

/** Who uses something: processes that run, or of which nothing can be seen from here. Marks of dead ones are removed. */
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

/** When something was last used, as its users' marks tell; undefined when it never was. */
export async function lastUse(path: string): Promise<Date | undefined> {
  const found = await stat(join(marksFolder(path), LAST)).catch(() => undefined);
  return found?.mtime;
}

/**
 * Removes a file or folder of a cache with its marks, unless somebody uses it. A user that comes at the same moment keeps it,
 * or finds nothing and makes it anew.
 *
 * @returns whether it was removed
 * @throws {InputError} when it may not be removed
 */
export async function removeUnlessUsed(path: string): Promise<boolean> {
  if ((await usersOf(path)).length > 0) return false;
  const { nonce } = await markOfThisProcess();
  const aside = `${path}.removing-${nonce}`;
  try {
    await rename(path, aside);
    if ((await usersOf(path)).length > 0) {
      // Whoever came meanwhile may have made it anew: then that stays, and this goes.
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

/** What a killed process left of one that it was removing. */
export const isBeingRemoved = (name: string): boolean => /\.removing-[0-9a-f]{16}$/.test(name);

export const isMarksFolder = (name: string): boolean => name.endsWith(".in-use");

function parseMark(text: string | undefined): ProcessMark | undefined {
  try {
    const mark = JSON.parse(text ?? "") as ProcessMark | null;
    return typeof mark?.host === "string" && Number.isSafeInteger(mark.pid) ? mark : undefined;
  } catch {
    return undefined; // Written without links, and half.
  }
}
