import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "vitest";

const root = resolve(
  process.env.DART_EVAL_TEST_DATA ??
    join(dirname(fileURLToPath(import.meta.url)), "..", "..", "shared", "data"),
);

/** Path of a file of the shared test bed, or undefined when the bed is not there. */
export function sharedData(path: string): string | undefined {
  const file = join(root, path);
  return existsSync(file) ? file : undefined;
}

/** End of the title of a test that is skipped without the folder of real data. */
export const NEEDS_DATA = "needs the folder of real data";

/** `test` over one file of the test bed; reported as skipped, never as passed, where the bed is absent. */
export function testWithSharedData(name: string, path: string, body: (file: string) => Promise<void> | void) {
  const file = sharedData(path);
  test.skipIf(file === undefined)(`${name} [${NEEDS_DATA}: ${path}]`, () => body(file!));
}
