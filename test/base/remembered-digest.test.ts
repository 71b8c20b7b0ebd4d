import { readdir, readFile, rename, utimes, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { sha256Hex } from "../../src/base/digest.ts";
import { InputError } from "../../src/base/errors.ts";
import { rememberedDigest, rememberedDigestOf } from "../../src/base/remembered-digest.ts";
import { scratchFiles } from "../scratch-files.ts";

const files = scratchFiles();

/** Once a file has not changed for two seconds its times can be trusted. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 2_100));

test("a digest is computed once, and again when the file has changed", async () => {
  const cache = files.path("cache");
  const path = await files.write("data", "one");
  await settled();
  let computed = 0;
  const digest = () =>
    rememberedDigestOf(
      "test",
      path,
      async (file) => {
        computed++;
        return sha256Hex(await readFile(file));
      },
      cache,
    );
  expect([await digest(), await digest(), computed]).toEqual([sha256Hex("one"), sha256Hex("one"), 1]);

  // Same size, same time of change, another file under the name.
  await rename(path, files.path("older"));
  await writeFile(path, "two");
  await utimes(path, new Date(0), new Date(0));
  expect([await digest(), computed]).toEqual([sha256Hex("two"), 2]);
});

test("what has just changed is not remembered, since it may change again unseen", async () => {
  const cache = files.path("young");
  const path = await files.write("young-data", "new");
  expect(await rememberedDigest(path, cache)).toBe(sha256Hex("new"));
  await expect(readdir(cache)).rejects.toThrow("ENOENT");
});

test("digests of different things are kept apart, and a damaged record is made anew", async () => {
  const cache = files.path("apart");
  const path = await files.write("apart-data", "x");
  await settled();
  const other = sha256Hex("other");
  expect(await rememberedDigest(path, cache)).toBe(sha256Hex("x"));
  expect(await rememberedDigestOf("other", path, async () => other, cache)).toBe(other);
  expect(await rememberedDigest(path, cache)).toBe(sha256Hex("x"));
  const records = await readdir(cache);
  expect(records).toHaveLength(2);
  for (const record of records) await writeFile(`${cache}/${record}`, "{");
  expect(await rememberedDigest(path, cache)).toBe(sha256Hex("x"));
});

test("a file that changes while it is read is refused", async () => {
  const path = await files.write("moving", "a");
  const moving = rememberedDigestOf(
    "test",
    path,
    async () => {
      await writeFile(path, "longer");
      return sha256Hex("a");
    },
    files.path("moving-cache"),
  );
  await expect(moving).rejects.toThrow("the file changed while it was read");
  await expect(rememberedDigest(files.path("nothing"))).rejects.toThrow(InputError);
});
