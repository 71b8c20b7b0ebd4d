import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { sha256Hex } from "../../src/base/digest.ts";
import { FormatError } from "../../src/base/errors.ts";
import { unpackGzip } from "../../src/base/gzip.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const bytes = Buffer.from(Array.from({ length: 50_000 }, (_, i) => `chr1\t${i}\n`).join(""));

function packed(contents: Uint8Array) {
  const folder = temporaryFolder();
  mkdirSync(folder, { recursive: true });
  const from = join(folder, "a.bed.gz");
  writeFileSync(from, contents);
  return { folder, from, to: join(folder, "a.bed") };
}

test("decompresses one and several gzip members", async () => {
  const { from, to } = packed(
    Buffer.concat([gzipSync(bytes.subarray(0, 1000)), gzipSync(bytes.subarray(1000))]),
  );
  await unpackGzip(from, to, { expected: { bytes: bytes.length, sha256: sha256Hex(bytes) } });
  expect(readFileSync(to).equals(bytes)).toBe(true);
});

test.each([
  ["no gzip", bytes],
  ["cut off", gzipSync(bytes).subarray(0, 5000)],
  ["damaged", gzipSync(bytes).fill(7, 4000, 4100)],
])("refuses %s and leaves no file", async (_, contents) => {
  const { folder, from, to } = packed(contents);
  await expect(unpackGzip(from, to)).rejects.toThrow(FormatError);
  expect(readdirSync(folder)).toEqual(["a.bed.gz"]);
});

test("leaves no file after a mismatch or an abort", async () => {
  const { from, to } = packed(gzipSync(bytes));
  const longer = { bytes: bytes.length + 1 };
  await expect(unpackGzip(from, to, { expected: longer })).rejects.toThrow(`has ${bytes.length} bytes`);
  const signal = AbortSignal.abort(new Error("stopped by hand"));
  await expect(unpackGzip(from, to, { signal })).rejects.toThrow("stopped by hand");
  expect(existsSync(to)).toBe(false);
});

test("stops decompression beyond the expected size", async () => {
  const { folder, from, to } = packed(gzipSync(Buffer.alloc(200 * 2 ** 20)));
  const written = () => process.resourceUsage().fsWrite * 512;
  const before = written();
  await expect(unpackGzip(from, to, { expected: { bytes: 1000 } })).rejects.toThrow("more than 1000 bytes");
  expect(written() - before).toBeLessThan(20 * 2 ** 20);
  expect(readdirSync(folder)).toEqual(["a.bed.gz"]);
});

test("names a missing file", async () => {
  const { folder } = packed(bytes);
  await expect(unpackGzip(join(folder, "none.gz"), join(folder, "none"))).rejects.toThrow("no such file");
});
