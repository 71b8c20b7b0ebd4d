import { randomBytes } from "node:crypto";
import { copyFile, readlink, rm, symlink } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { fileTrouble } from "./file-trouble.ts";
import { makeFolder } from "./make-folder.ts";
import { rename } from "./rename.ts";

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
  const beside = `${link}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    await makeFolder(folder);
    await symlink(path, beside).catch(async (error) => {
      if (process.platform !== "win32") throw error;
      await copyFile(target, beside);
    });
    await rename(beside, link);
  } catch (error) {
    await rm(beside, { force: true });
    throw fileTrouble(link, error);
  }
}
