import { statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileTrouble } from "./file-trouble.ts";

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
      const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (!missing || dirname(at) === at) throw fileTrouble(at, error);
    }
  }
}
