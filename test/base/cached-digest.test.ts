import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { cachedDigest, cachedDigestOf, sha256Hex } from "../../src/base/digest.ts";
import { temporaryFolder } from "../temporary-folder.ts";

afterEach(() => {
  vi.useRealTimers();
});

function aFile() {
  const folder = temporaryFolder();
  const path = join(folder, "model");
  const cache = join(folder, "cache");
  writeFileSync(path, "weights");
  return { path, cache };
}

const later = (ms: number) => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });

test("hashes an unchanged file once", async () => {
  const { path, cache } = aFile();
  later(10_000);
  expect(await cachedDigest(path, cache)).toBe(sha256Hex("weights"));
  const [record] = readdirSync(cache);
  const { state } = JSON.parse(readFileSync(join(cache, record), "utf8"));
  // The digest of the record is returned while the state of the file matches: the file is not hashed again.
  writeFileSync(join(cache, record), JSON.stringify({ state, sha256: "0".repeat(64) }));
  expect(await cachedDigest(path, cache)).toBe("0".repeat(64));
});

test("hashes a file again if its contents change at the same size and time", async () => {
  const { path, cache } = aFile();
  later(10_000);
  await cachedDigest(path, cache);
  const { atime, mtime } = statSync(path);
  writeFileSync(path, "WEIGHTS");
  utimesSync(path, atime, mtime);
  expect(await cachedDigest(path, cache)).toBe(sha256Hex("WEIGHTS"));
});

test("does not cache the digest of a recently modified file", async () => {
  const { path, cache } = aFile();
  await cachedDigest(path, cache);
  expect(() => readdirSync(cache)).toThrow("ENOENT");
});

test("works with a damaged record and with a read-only cache", async () => {
  const { path, cache } = aFile();
  later(10_000);
  await cachedDigest(path, cache);
  writeFileSync(join(cache, readdirSync(cache)[0]), "{");
  expect(await cachedDigest(path, cache)).toBe(sha256Hex("weights"));
  expect(await cachedDigest(path, join(path, "not-a-folder"))).toBe(sha256Hex("weights"));
});

test("names a missing file", async () => {
  const { path, cache } = aFile();
  await expect(cachedDigest(`${path}2`, cache)).rejects.toMatchObject({ place: { file: `${path}2` } });
});

test("different kinds of digests of a file have separate records", async () => {
  const { path, cache } = aFile();
  later(10_000);
  const other = sha256Hex("what the file says");
  let computed = 0;
  const compute = async () => {
    computed++;
    return other;
  };
  expect(await cachedDigest(path, cache)).toBe(sha256Hex("weights"));
  expect(await cachedDigestOf("other", path, compute, cache)).toBe(other);
  expect(await cachedDigestOf("other", path, compute, cache)).toBe(other);
  expect(await cachedDigest(path, cache)).toBe(sha256Hex("weights"));
  expect(computed).toBe(1);
});

test("refuses a file that changes during the read", async () => {
  const { path, cache } = aFile();
  const reading = cachedDigestOf(
    "test",
    path,
    async () => {
      writeFileSync(path, "longer weights");
      return sha256Hex("weights");
    },
    cache,
  );
  await expect(reading).rejects.toThrow("the file changed during the read");
});
