import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FormatError, InputError } from "../../src/base/errors.ts";
import { kindOfPath, namesInFolder } from "../../src/base/folder.ts";
import { bytesIfPresent, openFile } from "../../src/base/read-file.ts";
import { scratchFiles } from "../scratch-files.ts";
import { temporaryFolder } from "../temporary-folder.ts";

test("reads any range of a file, through a link", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "a"), "0123456789");
  symlinkSync("a", join(folder, "link"));
  await using file = await openFile(join(folder, "link"));
  expect([file.path, file.realPath, file.size]).toEqual([join(folder, "link"), join(folder, "a"), 10]);
  expect(new TextDecoder().decode(await file.read(3, 4))).toBe("3456");
  expect(await file.read(10, 0)).toEqual(new Uint8Array(0));
});

test.each([
  [0, 11],
  [10, 1],
  [-1, 2],
  [0, 2 ** 50],
  [0, Number.NaN],
])("refuses %d + %d bytes before allocation", async (offset, length) => {
  const path = join(temporaryFolder(), "a");
  writeFileSync(path, "0123456789");
  await using file = await openFile(path);
  await expect(file.read(offset, length)).rejects.toThrow(FormatError);
});

test("detects a file that shrinks while it is open", async () => {
  const path = join(temporaryFolder(), "a");
  writeFileSync(path, "0123456789");
  await using file = await openFile(path);
  truncateSync(path, 4);
  await expect(file.read(0, 10)).rejects.toThrow("shrank below 10 bytes");
});

test("names a path that cannot be opened", async () => {
  const folder = temporaryFolder();
  symlinkSync("nowhere", join(folder, "broken"));
  for (const [path, message] of [
    [join(folder, "none"), "no such file"],
    [join(folder, "broken"), "no such file"],
    [folder, "this is a folder; expected a file"],
  ] as const) {
    const error = await openFile(path).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).describe()).toMatch(new RegExp(`^${path}: ${message}`));
  }
});

test("kindOfPath and namesInFolder", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "b"), "");
  mkdirSync(join(folder, "a"));
  symlinkSync("nowhere", join(folder, "c"));
  expect(await namesInFolder(folder)).toEqual(["a", "b", "c"]);
  expect(await Promise.all(["a", "b", "c", "b/d"].map((name) => kindOfPath(join(folder, name))))).toEqual([
    "folder",
    "file",
    undefined,
    undefined,
  ]);
  await expect(namesInFolder(join(folder, "none"))).rejects.toThrow("no such file or folder");
});

const files = scratchFiles();

test("bytesIfPresent returns the bytes, or undefined for a missing file", async () => {
  expect([...(await bytesIfPresent(await files.write("some", Uint8Array.of(0, 255))))!]).toEqual([0, 255]);
  expect(await bytesIfPresent(files.path("none"))).toBeUndefined();
});

test("bytesIfPresent refuses a folder", async () => {
  await expect(bytesIfPresent(files.path(""))).rejects.toThrow("this is a folder");
});
