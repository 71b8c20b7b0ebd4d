import { expect, test } from "vitest";
import { programVersion, version } from "../../src/base/package.ts";

test("programVersion contains a stable digest of the files", async () => {
  const first = await programVersion();
  expect(first).toMatch(/^\d+\.\d+\.\d+\+[0-9a-f]{8}$/);
  expect(first.startsWith(`${version}+`)).toBe(true);
  expect(await programVersion()).toBe(first);
});
