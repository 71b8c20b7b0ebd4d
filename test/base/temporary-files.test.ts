import { existsSync, rmSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test, vi } from "vitest";
import { temporaryFolder } from "../temporary-folder.ts";

/** Hooks called before the real functions. */
const before = { link: (_from: string) => {}, startHeartbeat: () => {}, stop: () => {} };

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  return {
    ...real,
    link(from: string, to: string) {
      before.link(from);
      return real.link(from, to);
    },
  };
});
vi.mock("../../src/base/lease.ts", async (original) => {
  const real = await original<typeof import("../../src/base/lease.ts")>();
  return {
    ...real,
    async startHeartbeat(...args: Parameters<typeof real.startHeartbeat>) {
      before.startHeartbeat();
      const heartbeat = await real.startHeartbeat(...args);
      return {
        async stop() {
          await heartbeat.stop();
          before.stop();
        },
      };
    },
  };
});

// The setup of the tests has loaded these modules before they were replaced.
vi.resetModules();
const { createFileAtomic } = await import("../../src/base/write-file.ts");
const { takeLock } = await import("../../src/base/file-lock.ts");

let path: string;
beforeEach(() => {
  path = join(temporaryFolder(), "a.lock");
  Object.assign(before, { link: () => {}, startHeartbeat: () => {}, stop: () => {} });
});

test("a heartbeat exists only while its lock does", async () => {
  const locked: boolean[] = [];
  before.startHeartbeat = () => locked.push(existsSync(path));
  before.stop = () => locked.push(existsSync(path));
  await (await takeLock(path)).release();
  expect(locked).toEqual([true, true]);
});

test("the next holder of a lock removes temporary files of killed contenders", async () => {
  const folder = join(path, "..");
  const nonce = "0123456789abcdef";
  for (const name of [".a.lock", `.a.lock.after-${nonce}`, `.a.lock.beat-${nonce}`]) {
    await writeFile(join(folder, `${name}.4711.01234567.tmp`), "");
  }
  await writeFile(join(folder, ".b.4711.01234567.tmp"), "another file's");
  await (await takeLock(path)).release();
  expect(await readdir(folder)).toEqual([".b.4711.01234567.tmp"]);
});

test("createFileAtomic retries if its temporary file is removed", async () => {
  let removed = 0;
  before.link = (from) => {
    if (removed++ === 0) rmSync(from);
  };
  expect(await createFileAtomic(path, "text")).toBe(true);
  expect(removed).toBe(2);
  expect(await readdir(join(path, ".."))).toEqual(["a.lock"]);
});
