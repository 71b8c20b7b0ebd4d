import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, onTestFinished } from "vitest";

/** A new empty folder, removed after the test that requested it. */
export const temporaryFolder = (): string => folderUntil(onTestFinished);

/** A new empty folder, removed after all tests of the file. */
export const folderOfFile = (): string => folderUntil(afterAll);

function folderUntil(end: (remove: () => void) => void): string {
  const folder = mkdtempSync(join(tmpdir(), "dart-eval-test-"));
  end(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
