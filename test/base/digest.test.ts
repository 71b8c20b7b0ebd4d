import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { digestFile, sha256Hex } from "../../src/base/digest.ts";
import { InputError } from "../../src/base/errors.ts";
import { temporaryFolder } from "../temporary-folder.ts";

// The example of FIPS 180-4, and the empty text.
const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

test("SHA-256 of text and bytes", () => {
  expect(sha256Hex("abc")).toBe(ABC);
  expect(sha256Hex(Uint8Array.of(97, 98, 99))).toBe(ABC);
  expect(sha256Hex("")).toBe(EMPTY);
  expect(sha256Hex("µ")).toBe(sha256Hex(Uint8Array.of(0xc2, 0xb5)));
});

test("SHA-256 of a file", async () => {
  const folder = temporaryFolder();
  const bytes = new Uint8Array(3_000_001).map((_, i) => i * 7);
  await writeFile(join(folder, "long"), bytes);
  await writeFile(join(folder, "empty"), "");
  expect(await digestFile(join(folder, "long"))).toBe(sha256Hex(bytes));
  expect(await digestFile(join(folder, "empty"))).toBe(EMPTY);
});

test("names a missing file", async () => {
  const error = await digestFile("/nowhere/x.fa").catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).describe()).toMatch(/^\/nowhere\/x\.fa: no such file/);
});
