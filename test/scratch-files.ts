import { mkdtempSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** A folder for a test file's own files, removed after its tests. */
export function scratchFiles() {
  const folder = mkdtempSync(join(tmpdir(), "dart-eval-"));
  afterAll(() => rm(folder, { recursive: true }));
  return {
    path: (name: string) => join(folder, name),
    async write(name: string, data: string | Uint8Array): Promise<string> {
      const path = join(folder, name);
      await writeFile(path, data);
      return path;
    },
  };
}
