import { chmod, readdir, stat, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { cacheFolder, checkWritableFile, checkWritableFolder, makeFolder } from "../../src/base/folder.ts";
import { temporaryFolder } from "../temporary-folder.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

test.each([
  ["", "", `${homedir()}/.cache/dart-eval/digests`],
  ["", "/scratch/me", "/scratch/me/dart-eval/digests"],
  ["", "relative", `${homedir()}/.cache/dart-eval/digests`],
  ["/data/cache", "/scratch/me", "/data/cache/digests"],
])("DART_EVAL_CACHE=%j XDG_CACHE_HOME=%j", (own, xdg, folder) => {
  vi.stubEnv("DART_EVAL_CACHE", own);
  vi.stubEnv("XDG_CACHE_HOME", xdg);
  expect(cacheFolder("digests")).toBe(folder);
});

const fresh = () => temporaryFolder();
const refusal = (path: string) =>
  makeFolder(path).then(
    () => undefined,
    (error) => (error instanceof InputError ? error.describe() : error),
  );

test("creates parent folders, also concurrently", async () => {
  const path = join(fresh(), "a", "b", "c");
  await Promise.all([makeFolder(path), makeFolder(path), makeFolder(join(path, "d"))]);
  await makeFolder(path);
  expect((await stat(join(path, "d"))).isDirectory()).toBe(true);
});

test("names a file or broken link in the path", async () => {
  const folder = fresh();
  await writeFile(join(folder, "file"), "");
  await symlink(join(folder, "gone", "away"), join(folder, "link"));
  expect(await refusal(join(folder, "file"))).toContain("file: this is a file");
  expect(await refusal(join(folder, "file", "x"))).toContain("file: this is a file");
  expect(await refusal(join(folder, "link", "x"))).toContain("link: this is a file or a broken link");
});

// Node's recursive mkdir does not return here.
test.runIf(process.platform === "linux")("reports that a folder cannot be created", async () => {
  expect(await refusal("/proc/no-such/deep")).toBe("/proc/no-such: no folder can be created here");
});

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

test("accepts existing and creatable paths without creating them", async () => {
  await checkWritableFolder(folder);
  await checkWritableFolder(join(folder, "a", "b"));
  await checkWritableFile(join(folder, "a", "b.tsv"));
  expect(await readdir(folder)).toEqual([]);
});

test("names a file in place of a folder and a folder in place of a file", async () => {
  await writeFile(join(folder, "file"), "");
  await checkWritableFile(join(folder, "file"));
  await expect(checkWritableFolder(join(folder, "file"))).rejects.toThrow("this is a file");
  await expect(checkWritableFolder(join(folder, "file", "x", "y"))).rejects.toThrow("part of this path");
  await expect(checkWritableFile(folder)).rejects.toThrow("this is a folder");
});

test.skipIf(process.getuid?.() === 0)(
  "names a folder that is not writable [needs a user other than root]",
  async () => {
    await chmod(folder, 0o500);
    await expect(checkWritableFolder(join(folder, "x"))).rejects.toThrow("permission denied");
  },
);
