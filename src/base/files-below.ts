import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileTrouble } from "./file-trouble.ts";

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
      Promise.reject(fileTrouble(path, error)),
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
