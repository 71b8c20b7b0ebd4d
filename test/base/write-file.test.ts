import { execFileSync } from "node:child_process";
import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { appendDurably, removeTemporaryFiles, writeFileAtomic } from "../../src/base/write-file.ts";
import { temporaryFolder } from "../temporary-folder.ts";

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

test("a file is written whole, over an older one, and nothing is left beside it", async () => {
  const path = join(folder, "new", "deep", "a.json");
  await writeFileAtomic(path, "first");
  await writeFileAtomic(path, Uint8Array.of(104, 105));
  expect(await readFile(path, "utf8")).toBe("hi");
  expect(await readdir(join(folder, "new", "deep"))).toEqual(["a.json"]);
});

test("content may come in pieces; when one fails, the older file stays", async () => {
  const path = join(folder, "pieces");
  await writeFileAtomic(
    path,
    (async function* () {
      yield "a";
      yield "b\n";
    })(),
  );
  const broken = new InputError("the source is broken");
  await expect(
    writeFileAtomic(
      path,
      (async function* () {
        yield "c";
        throw broken;
      })(),
    ),
  ).rejects.toBe(broken);
  expect(await readFile(path, "utf8")).toBe("ab\n");
  expect(await readdir(folder)).toEqual(["pieces"]);
});

test("what a killed process left of a file can be removed, and nothing else is", async () => {
  const path = join(folder, "state");
  await writeFileAtomic(path, "whole");
  const others = [
    ".other.12.0123abcd.tmp",
    ".state.12.0123abcd.txt",
    ".state.tmp",
    ".state.more.12.0123abcd.tmp",
  ];
  for (const name of [...others, ".state.12.0123abcd.tmp", ".state.4567.89abcdef.tmp"]) {
    await writeFile(join(folder, name), "half");
  }
  await removeTemporaryFiles(path);
  expect((await readdir(folder)).sort()).toEqual([...others, "state"].sort());
  await removeTemporaryFiles(join(folder, "nowhere", "state"));
});

test("a failure leaves what was there, and says where", async () => {
  await mkdir(join(folder, "taken"));
  await writeFile(join(folder, "taken", "kept"), "kept");
  const error = await writeFileAtomic(join(folder, "taken"), "x").catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).describe()).toContain("taken: this is a folder");
  expect(await readdir(folder)).toEqual(["taken"]);
  await writeFile(join(folder, "file"), "");
  const through = await writeFileAtomic(join(folder, "file", "x"), "x").catch((thrown: unknown) => thrown);
  expect(through).toBeInstanceOf(InputError);
});

test.skipIf(process.getuid?.() === 0)("a folder that may not be written is named", async () => {
  await chmod(folder, 0o500);
  const error = await writeFileAtomic(join(folder, "x"), "x").catch((thrown: unknown) => thrown);
  expect((error as InputError).describe()).toContain("permission denied");
});

test("appended text follows what was there", async () => {
  const path = join(folder, "rows", "1.jsonl");
  await appendDurably(path, "a\n");
  await appendDurably(path, "b\n");
  expect(await readFile(path, "utf8")).toBe("a\nb\n");
});

test.skipIf(process.platform !== "linux")("a full disk is said in words", async () => {
  // Every write to /dev/full fails as on a full disk.
  const path = join(folder, "full");
  await symlink("/dev/full", path);
  const error = await appendDurably(path, "x").catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).describe()).toMatch(/full: the disk is full\n {2}free some space/);
});

test.runIf(process.platform === "linux")("a pipe and a device are written to, never replaced", async () => {
  const pipe = join(folder, "pipe");
  execFileSync("/usr/bin/env", ["mkfifo", pipe]);
  const [text] = await Promise.all([readFile(pipe, "utf8"), writeFileAtomic(pipe, "through")]);
  expect(text).toBe("through");
  expect((await stat(pipe)).isFIFO()).toBe(true);
  // A device of one's own would need root; a link to one is as telling.
  const full = join(folder, "full");
  await symlink("/dev/full", full);
  await expect(writeFileAtomic(full, "x")).rejects.toThrow("the disk is full");
  expect((await lstat(full)).isSymbolicLink()).toBe(true);
});

test("a folder as the target is refused before any folder or file is touched", async () => {
  await expect(writeFileAtomic(".", "x")).rejects.toThrow("this is a folder");
});
