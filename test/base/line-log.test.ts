import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FormatError } from "../../src/base/errors.ts";
import { readLineLog, truncateFile } from "../../src/base/line-log.ts";
import { textIfPresent } from "../../src/base/read-file.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dart-eval-log-"));
  path = join(folder, "rows.jsonl");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("a log of lines", () => {
  test("gives whole lines with numbers and ends, and counts what is torn", async () => {
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

  test("an empty file has no lines", async () => {
    await writeFile(path, "");
    expect(await readLineLog(path, () => expect.unreachable())).toEqual({ whole: 0, torn: 0 });
  });

  test("lines longer than a read are put together", async () => {
    const lines = Array.from({ length: 5 }, (_, i) => String(i).repeat(700_000 + i));
    await writeFile(path, lines.join("\n"));
    await appendFile(path, "\n");
    const seen: string[] = [];
    const extent = await readLineLog(path, (text) => seen.push(text));
    expect(seen.map(({ length }) => length)).toEqual(lines.map(({ length }) => length));
    expect(seen).toEqual(lines);
    expect(extent.whole).toBe((await stat(path)).size);
  });

  test("a file that is not there is named", async () => {
    await expect(readLineLog(join(folder, "no"), () => {})).rejects.toThrow("no such file");
  });
});

test("a line that could not be one text is refused with its number", async () => {
  await writeFile(path, "first\n");
  await truncate(path, 600 * 2 ** 20);
  await expect(readLineLog(path, () => {})).rejects.toThrow(FormatError);
  await expect(readLineLog(path, () => {})).rejects.toMatchObject({ place: { file: path, line: 2 } });
});

test("nor is a file read as a text that could not be one", async () => {
  await writeFile(path, "{");
  await truncate(path, 600 * 2 ** 20);
  await expect(textIfPresent(path)).rejects.toThrow("the file has 629145600 bytes; the limit is 268435456");
});
