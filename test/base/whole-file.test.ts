import { expect, test } from "vitest";
import { bytesIfPresent } from "../../src/base/read-file.ts";
import { scratchFiles } from "../scratch-files.ts";

const files = scratchFiles();

test("the bytes of a file, or that there is none", async () => {
  expect([...(await bytesIfPresent(await files.write("some", Uint8Array.of(0, 255))))!]).toEqual([0, 255]);
  expect(await bytesIfPresent(files.path("none"))).toBeUndefined();
});

test("a folder is no file", async () => {
  await expect(bytesIfPresent(files.path(""))).rejects.toThrow("this is a folder");
});
