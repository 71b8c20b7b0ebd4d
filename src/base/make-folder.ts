import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { InputError } from "./errors.ts";
import { fileTrouble } from "./file-trouble.ts";

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
      if (codeOf(error) === "EEXIST" && (await isFolder(folder))) continue;
      throw refusal(folder, error);
    }
  }
}

function refusal(folder: string, error: unknown): unknown {
  const place = { file: folder };
  if (codeOf(error) === "ENOENT") {
    return new InputError("no folder can be made here", { place, cause: error });
  }
  if (codeOf(error) === "EEXIST") {
    return new InputError("this is a file, or a link that leads nowhere; a folder was expected", {
      place,
      cause: error,
    });
  }
  return fileTrouble(folder, error);
}

const codeOf = (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : "");

/** Links are followed. What cannot be looked at counts as missing: making it then says why. */
const isFolder = (path: string) =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
