import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileTrouble } from "./file-trouble.ts";

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
      if (error instanceof Error && "code" in error && error.code === "ENOENT") continue;
      throw fileTrouble(at, error);
    }
  }
  return { files, bytes, newest };
}
