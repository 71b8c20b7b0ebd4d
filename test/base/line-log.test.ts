import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { appendFile, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { FormatError, InputError } from "../../src/base/errors.ts";
import { openDurableLog, readLineLog, truncateFile } from "../../src/base/line-log.ts";
import { textIfPresent } from "../../src/base/read-file.ts";
import { temporaryFolder } from "../temporary-folder.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder, "rows.jsonl");
});

describe("a log of lines", () => {
  test("visits complete lines with numbers and offsets, and counts torn bytes", async () => {
    await writeFile(path, "one\nzwölf\n\nto");
    const seen: [string, number, number][] = [];
    const extent = await readLineLog(path, (...line) => seen.push(line));
    expect(seen).toEqual([
      ["one", 1, 4],
      ["zwölf", 2, 11],
      ["", 3, 12],
    ]);
    expect(extent).toEqual({ whole: 12, torn: 2 });
    await truncateFile(path, extent.whole);
    expect(await readFile(path, "utf8")).toBe("one\nzwölf\n\n");
  });

  test("has no lines in an empty file", async () => {
    await writeFile(path, "");
    expect(await readLineLog(path, () => expect.unreachable())).toEqual({ whole: 0, torn: 0 });
  });

  test("joins lines longer than a read", async () => {
    const lines = Array.from({ length: 5 }, (_, i) => String(i).repeat(700_000 + i));
    await writeFile(path, lines.join("\n"));
    await appendFile(path, "\n");
    const seen: string[] = [];
    const extent = await readLineLog(path, (text) => seen.push(text));
    expect(seen.map(({ length }) => length)).toEqual(lines.map(({ length }) => length));
    expect(seen).toEqual(lines);
    expect(extent.whole).toBe((await stat(path)).size);
  });

  test("names a missing file", async () => {
    await expect(readLineLog(join(folder, "no"), () => {})).rejects.toThrow("no such file");
  });
});

test("refuses a line longer than a string, with its number", async () => {
  await writeFile(path, "first\n");
  await truncate(path, 600 * 2 ** 20);
  const refusal: unknown = await readLineLog(path, () => {}).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(FormatError);
  expect(refusal).toMatchObject({ place: { file: path, line: 2 } });
});

test("textIfPresent refuses a file longer than a string", async () => {
  await writeFile(path, "{");
  await truncate(path, 600 * 2 ** 20);
  await expect(textIfPresent(path)).rejects.toThrow("the file has 629145600 bytes; the limit is 268435456");
});

const target = () => {
  const folder = temporaryFolder();
  return { folder, path: join(folder, "rows", "001.jsonl") };
};
const text = (path: string) => readFileSync(path, "utf8");

test("creates the file and its folder, appends, and clears", async () => {
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

test("keeps the start of an existing file and leaves no other files", async () => {
  const { folder, path } = target();
  mkdirSync(join(folder, "rows"));
  writeFileSync(path, "whole\ntor");
  const log = await openDurableLog(path, 6);
  await log.append("next\n");
  await log.close();
  expect(text(path)).toBe("whole\nnext\n");
  expect(readdirSync(join(folder, "rows"))).toEqual(["001.jsonl"]);
});

test("ignores what an earlier writer appends to the old file", async () => {
  const { path } = target();
  const first = await openDurableLog(path, 0);
  await first.append("one\n");
  const second = await openDurableLog(path, 4);
  await second.append("two\n");
  // The first process was taken for dead but still runs.
  await first.append("late\n");
  expect(text(path)).toBe("one\ntwo\n");
  await first.close();
  await second.close();
});

test("throws if the file is shorter than the bytes to keep", async () => {
  const { folder, path } = target();
  mkdirSync(join(folder, "rows"));
  writeFileSync(path, "one\n");
  await expect(openDurableLog(path, 9)).rejects.toThrow(InputError);
  expect(readdirSync(join(folder, "rows"))).toEqual(["001.jsonl"]);
  expect(text(path)).toBe("one\n");
});
