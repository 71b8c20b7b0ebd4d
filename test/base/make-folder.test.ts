import { stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { makeFolder } from "../../src/base/folder.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const fresh = () => temporaryFolder();
const trouble = (path: string) =>
  makeFolder(path).then(
    () => undefined,
    (error) => (error instanceof InputError ? error.describe() : error),
  );

test("folders around are made, several at once do not disturb each other", async () => {
  const path = join(fresh(), "a", "b", "c");
  await Promise.all([makeFolder(path), makeFolder(path), makeFolder(join(path, "d"))]);
  await makeFolder(path);
  expect((await stat(join(path, "d"))).isDirectory()).toBe(true);
});

test("a file or a broken link in the way is named", async () => {
  const folder = fresh();
  await writeFile(join(folder, "file"), "");
  await symlink(join(folder, "gone", "away"), join(folder, "link"));
  expect(await trouble(join(folder, "file"))).toContain("file: this is a file");
  expect(await trouble(join(folder, "file", "x"))).toContain("file: this is a file");
  expect(await trouble(join(folder, "link", "x"))).toContain("link: this is a file or a broken link");
});

// Node's own recursive mkdir never comes back from here.
test.runIf(process.platform === "linux")("where the system makes no folders, that is said", async () => {
  expect(await trouble("/proc/no-such/deep")).toBe("/proc/no-such: no folder can be created here");
});
