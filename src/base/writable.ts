import { access, constants, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { InputError } from "./errors.ts";
import { fileTrouble } from "./file-trouble.ts";

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
      const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (!missing || dirname(at) === at) throw fileTrouble(at, error);
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
