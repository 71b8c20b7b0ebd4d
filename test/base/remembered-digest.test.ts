import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { cachedDigest, cachedDigestOf } from "../../src/base/cached-digest.ts";
import { sha256Hex } from "../../src/base/digest.ts";
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

test("a settled file is hashed once", async () => {
  const { path, cache } = aFile();
  later(10_000);
  expect(await cachedDigest(path, cache)).toBe(sha256Hex("weights"));
  const [record] = readdirSync(cache);
  const { state } = JSON.parse(readFileSync(join(cache, record!), "utf8"));
  // What the record says is believed as long as the file's state is the same: it was not hashed again.
  writeFileSync(join(cache, record!), JSON.stringify({ state, sha256: "0".repeat(64) }));
  expect(await cachedDigest(path, cache)).toBe("0".repeat(64));
});

test("a file of the same size and time with other contents is hashed again", async () => {
  const { path, cache } = aFile();
  later(10_000);
  await cachedDigest(path, cache);
  const { atime, mtime } = statSync(path);
  writeFileSync(path, "WEIGHTS");
  utimesSync(path, atime, mtime);
  expect(await cachedDigest(path, cache)).toBe(sha256Hex("WEIGHTS"));
});

test("a file that may still be written to is not remembered", async () => {
  const { path, cache } = aFile();
  await cachedDigest(path, cache);
  expect(() => readdirSync(cache)).toThrow("ENOENT");
});

test("a damaged record, or a cache that cannot be written, does no harm", async () => {
  const { path, cache } = aFile();
  later(10_000);
  await cachedDigest(path, cache);
  writeFileSync(join(cache, readdirSync(cache)[0]), "{");
  expect(await cachedDigest(path, cache)).toBe(sha256Hex("weights"));
  expect(await cachedDigest(path, join(path, "not-a-folder"))).toBe(sha256Hex("weights"));
});

test("a missing file is named", async () => {
  const { path, cache } = aFile();
  await expect(cachedDigest(`${path}2`, cache)).rejects.toMatchObject({ place: { file: `${path}2` } });
});

test("digests of different things in one file are kept apart", async () => {
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

test("a file that changes while it is read is refused", async () => {
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
