import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { textIfPresent } from "../../src/base/read-file.ts";
import { createFileAtomic } from "../../src/base/write-file.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dart-eval-create-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("of many that make the same file one is told that it did, and its content stays", async () => {
  const path = join(folder, "deep", "plan.json");
  const made = await Promise.all(
    Array.from({ length: 12 }, (_, i) => createFileAtomic(path, `content ${i}`)),
  );
  expect(made.filter(Boolean)).toHaveLength(1);
  expect(await readFile(path, "utf8")).toBe(`content ${made.indexOf(true)}`);
  expect(await readdir(join(folder, "deep"))).toEqual(["plan.json"]);
});

test("text that is not there is undefined; a folder is an error that names it", async () => {
  expect(await textIfPresent(join(folder, "nothing"))).toBeUndefined();
  await expect(textIfPresent(folder)).rejects.toMatchObject({ place: { file: folder } });
});
