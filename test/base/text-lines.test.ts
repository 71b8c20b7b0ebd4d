import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { FormatError, InputError } from "../../src/base/errors.ts";
import { forEachLine, textLines } from "../../src/base/text-lines.ts";
import { folderOfFile } from "../temporary-folder.ts";

const folder = folderOfFile();

async function read(data: string | Uint8Array): Promise<string[]> {
  const path = join(folder, "file");
  await writeFile(path, data);
  const lines: string[] = [];
  let misnumbered = 0;
  for await (const { text, number } of textLines(path)) {
    lines.push(text);
    if (number !== lines.length) misnumbered++;
  }
  expect(misnumbered).toBe(0);
  return lines;
}

test("LF, CRLF, and a last line without a line end", async () => {
  expect(await read("a\r\nb\n\nc")).toEqual(["a", "b", "", "c"]);
  expect(await read("a\n")).toEqual(["a"]);
  expect(await read("")).toEqual([]);
  expect(await read("\ufeffa\rb\n")).toEqual(["a\rb"]);
});

test("lines are independent of chunks, for plain, gzip and bgzip files", async () => {
  const lines = Array.from({ length: 200_000 }, (_, i) => `line ${i} µ${"x".repeat(i % 37)}`);
  const bytes = Buffer.from(lines.join("\n"));
  const pieces = [0, 1, 2].map((i) =>
    gzipSync(bytes.subarray((i * bytes.length) / 3, ((i + 1) * bytes.length) / 3)),
  );
  for (const data of [bytes, gzipSync(bytes), Buffer.concat([...pieces, gzipSync("")])]) {
    expect(await read(data)).toEqual(lines);
  }
});

test("any text round-trips", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.stringMatching(/^[\t -~]*$/)), async (lines) => {
      expect(await read(lines.map((line) => `${line}\n`).join(""))).toEqual(lines);
    }),
    { numRuns: 50 },
  );
});

test("visits each line with its number; an error of the visitor stops the reading", async () => {
  const path = join(folder, "visited");
  await writeFile(path, "a\nb\nc\n");
  const seen: string[] = [];
  await forEachLine(path, (text, number) => seen.push(`${number}${text}`));
  expect(seen).toEqual(["1a", "2b", "3c"]);
  const stop = new Error("stop");
  await expect(
    forEachLine(path, (_, number) => {
      if (number === 2) throw stop;
    }),
  ).rejects.toBe(stop);
});

test("reading can stop early", async () => {
  const path = join(folder, "early.gz");
  await writeFile(path, gzipSync("a\n".repeat(3_000_000)));
  for await (const { number } of textLines(path)) if (number === 2) break;
});

test("names a truncated or damaged file", async () => {
  const whole = gzipSync("a line\n".repeat(1000));
  await expect(read(whole.subarray(0, whole.length - 12))).rejects.toThrow("is truncated");
  const damaged = Uint8Array.from(whole);
  damaged[20] = damaged[20] ^ 0xff;
  await expect(read(damaged)).rejects.toThrow(FormatError);
  await expect(forEachLine(join(folder, "none"), () => {})).rejects.toThrow("no such file");
  await expect(forEachLine(folder, () => {})).rejects.toThrow(InputError);
});

test("refuses a file without line ends before it fills the memory", async () => {
  await expect(read(new Uint8Array(2 ** 24 + 2 ** 21).fill(65))).rejects.toThrow(
    "the line is longer than 16777216 characters",
  );
});
