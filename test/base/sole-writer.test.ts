import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { asSoleWriter, LockHeld } from "../../src/base/file-lock.ts";
import { writeFileAtomic } from "../../src/base/write-file.ts";
import { temporaryFolder } from "../temporary-folder.ts";

test("removes what a killed writer left, of this file alone", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "elements.tsv");
  writeFileSync(join(folder, ".elements.tsv.123.0a1b2c3d.tmp"), "half");
  writeFileSync(join(folder, ".other.tsv.123.0a1b2c3d.tmp"), "half");
  await asSoleWriter(path, () => writeFileAtomic(path, "whole"));
  expect(readdirSync(folder).sort()).toEqual([".other.tsv.123.0a1b2c3d.tmp", "elements.tsv"]);
  expect(readFileSync(path, "utf8")).toBe("whole");
});

test("refuses a second writer of the same file", async () => {
  const path = join(temporaryFolder(), "elements.tsv");
  await asSoleWriter(path, async () => {
    await expect(asSoleWriter(path, async () => {})).rejects.toThrow(LockHeld);
  });
  await expect(asSoleWriter(path, async () => "again")).resolves.toBe("again");
});

test.skipIf(process.platform === "win32")("a device is written without a lock", async () => {
  await asSoleWriter("/dev/null", () => writeFileAtomic("/dev/null", "text"));
  expect(readdirSync("/dev").filter((name) => name.startsWith("null."))).toEqual([]);
});
