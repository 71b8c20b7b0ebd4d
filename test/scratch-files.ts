import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { folderOfFile } from "./temporary-folder.ts";

/** A folder for a test file's own files, removed after its tests. */
export function scratchFiles() {
  const folder = folderOfFile();
  return {
    path: (name: string) => join(folder, name),
    async write(name: string, data: string | Uint8Array): Promise<string> {
      const path = join(folder, name);
      await writeFile(path, data);
      return path;
    },
  };
}
