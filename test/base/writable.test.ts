import { chmod, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { expectWritableFile, expectWritableFolder } from "../../src/base/folder.ts";
import { temporaryFolder } from "../temporary-folder.ts";

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

test("what is there and what could be made passes, and nothing is made", async () => {
  await expectWritableFolder(folder);
  await expectWritableFolder(join(folder, "a", "b"));
  await expectWritableFile(join(folder, "a", "b.tsv"));
  expect(await readdir(folder)).toEqual([]);
});

test("a file where a folder is needed, and a folder where a file is, are named", async () => {
  await writeFile(join(folder, "file"), "");
  await expectWritableFile(join(folder, "file"));
  await expect(expectWritableFolder(join(folder, "file"))).rejects.toThrow("this is a file");
  await expect(expectWritableFolder(join(folder, "file", "x", "y"))).rejects.toThrow("part of this path");
  await expect(expectWritableFile(folder)).rejects.toThrow("this is a folder");
});

test.skipIf(process.getuid?.() === 0)("a folder that may not be written is named", async () => {
  await chmod(folder, 0o500);
  await expect(expectWritableFolder(join(folder, "x"))).rejects.toThrow("permission denied");
});
