import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createFolderAtomic } from "../../src/base/folder.ts";
import { scratchFiles } from "../scratch-files.ts";

const scratch = scratchFiles();

const writes = (text: string) => async (folder: string) => {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "file"), text);
};

test("a folder appears with its contents, once", async () => {
  const path = scratch.path("made");
  await createFolderAtomic(path, writes("first"));
  await createFolderAtomic(path, writes("second"));
  expect(await readFile(join(path, "file"), "utf8")).toBe("first");
});

test("of two writers at once one wins, and nothing else remains", async () => {
  const path = scratch.path("raced");
  await createFolderAtomic(path, async (partial) => {
    await writes("slow")(partial);
    await writes("fast")(path);
  });
  expect(await readFile(join(path, "file"), "utf8")).toBe("fast");
  expect((await readdir(scratch.path("."))).sort()).toEqual(["made", "raced"]);
});

test("a failed writer leaves nothing", async () => {
  const path = scratch.path("failed");
  const failing = createFolderAtomic(path, async (partial) => {
    await writes("half")(partial);
    throw new Error("stopped");
  });
  await expect(failing).rejects.toThrow("stopped");
  expect((await readdir(scratch.path("."))).filter((name) => name.startsWith("failed"))).toEqual([]);
});
