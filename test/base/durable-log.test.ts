import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { openDurableLog } from "../../src/base/line-log.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const target = () => {
  const folder = temporaryFolder();
  return { folder, path: join(folder, "rows", "001.jsonl") };
};
const text = (path: string) => readFileSync(path, "utf8");

test("makes the file and its folder, adds to it, empties it", async () => {
  const { path } = target();
  const log = await openDurableLog(path, 0);
  await log.append("a\n");
  await log.append("é\n");
  expect(text(path)).toBe("a\né\n");
  await log.clear();
  await log.append("b\n");
  expect(text(path)).toBe("b\n");
  await log.close();
});

test("keeps the beginning of a present file and leaves nothing else behind", async () => {
  const { folder, path } = target();
  mkdirSync(join(folder, "rows"));
  writeFileSync(path, "whole\ntor");
  const log = await openDurableLog(path, 6);
  await log.append("next\n");
  await log.close();
  expect(text(path)).toBe("whole\nnext\n");
  expect(readdirSync(join(folder, "rows"))).toEqual(["001.jsonl"]);
});

test("what an earlier writer adds to its own file is never read", async () => {
  const { path } = target();
  const first = await openDurableLog(path, 0);
  await first.append("one\n");
  const second = await openDurableLog(path, 4);
  await second.append("two\n");
  // The first process only seemed to be dead, and goes on.
  await first.append("late\n");
  expect(text(path)).toBe("one\ntwo\n");
  await first.close();
  await second.close();
});

test("a file that is shorter than what is to be kept is an error", async () => {
  const { folder, path } = target();
  mkdirSync(join(folder, "rows"));
  writeFileSync(path, "one\n");
  await expect(openDurableLog(path, 9)).rejects.toThrow(InputError);
  expect(readdirSync(join(folder, "rows"))).toEqual(["001.jsonl"]);
  expect(text(path)).toBe("one\n");
});
