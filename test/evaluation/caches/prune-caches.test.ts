import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test, vi } from "vitest";
import { markInUse } from "../../../src/base/in-use.ts";
import { cacheEntries, pruneCaches } from "../../../src/evaluation/embeddings/cache-entries.ts";
import { Embedder } from "../../../src/evaluation/embeddings/embedder.ts";
import { EmbeddingStore } from "../../../src/evaluation/embeddings/embedding-store.ts";
import type { Model } from "../../../src/models/model.ts";
import { runCommand } from "../../cli/collecting-terminal.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const DAY = 86_400_000;
const NOW = new Date("2025-06-01T00:00:00Z");

function put(path: string, days: number, bytes = 10) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, Buffer.alloc(bytes));
  const when = new Date(NOW.getTime() - days * DAY);
  utimesSync(path, when, when);
}

function caches() {
  const root = temporaryFolder();
  const own = join(root, "cache");
  put(join(own, "digests", "a.json"), 90);
  put(join(own, "float32", "old.safetensors"), 90, 1000);
  put(join(own, "float32", "old.safetensors.sha256"), 90);
  put(join(own, "float32", "new.safetensors"), 2, 2000);
  put(join(own, "something-else", "x"), 900);
  const run = join(root, "run");
  put(join(run, "embeddings", "0123456789abcdef", "aa", "chunk.safetensors"), 40, 300);
  put(join(run, "paper", "embeddings", "fedcba9876543210", "bb", "chunk.safetensors"), 1, 400);
  put(join(run, "7f3a91c2", "result.json"), 400);
  return { own, run };
}

const line = (path: string) => path.split("/").slice(-2).join("/");

test("lists each cache with its size and age, without results of runs", async () => {
  const { own, run } = caches();
  const entries = await cacheEntries(own, [run]);
  expect(entries.map(({ kind, path, bytes }) => [kind, line(path), bytes])).toEqual([
    ["digests", "cache/digests", 10],
    ["weights", "float32/new.safetensors", 2000],
    ["weights", "float32/old.safetensors", 1000],
    ["unknown", "cache/something-else", 10],
    ["embeddings", "embeddings/0123456789abcdef", 300],
    ["embeddings", "embeddings/fedcba9876543210", 400],
  ]);
  expect(entries[2].lastUsed).toEqual(new Date(NOW.getTime() - 90 * DAY));
});

test("the command prints a line per outcome, and every entry with --list", async () => {
  const { own, run } = caches();
  vi.stubEnv("DART_EVAL_CACHE", own);
  const dry = await runCommand(["cache", "prune", run, "--dry-run"]);
  expect(dry.printed.split("\n")).toEqual([
    "would remove: 5 entries, 3.62 KiB",
    "kept, not made by this version: 1 entry, 10 B",
  ]);
  const list = await runCommand(["cache", "prune", run, "--dry-run", "--list"]);
  expect(list.printed.split("\n")).toHaveLength(8);
  expect(list.printed).toContain(join(own, "float32", "old.safetensors"));
  const gone = await runCommand(["cache", "prune", run, "--older-than", "0"]);
  expect(gone.printed).toMatch(/^removed: 5 entries/);
  const again = await runCommand(["cache", "prune", run]);
  expect(again.printed).toBe("kept, not made by this version: 1 entry, 10 B");
  vi.unstubAllEnvs();
});

test("removes entries unused for long; keeps entries in use, new ones and unknown files", async () => {
  const { own, run } = caches();
  const entries = () => cacheEntries(own, [run]);
  const dry = await pruneCaches(await entries(), { days: 30, dry: true, now: NOW });
  expect(dry.filter(({ kept }) => kept === undefined).length).toBe(3);
  expect((await entries()).length).toBe(6);
  const held = await markInUse(join(run, "embeddings", "0123456789abcdef"));
  const pruned = await pruneCaches(await entries(), { days: 30, now: NOW });
  expect(pruned.map(({ entry, kept }) => [line(entry.path), kept ?? "removed"])).toEqual([
    ["cache/digests", "removed"],
    ["float32/new.safetensors", "used lately"],
    ["float32/old.safetensors", "removed"],
    ["cache/something-else", "unknown"],
    ["embeddings/0123456789abcdef", "in use"],
    ["embeddings/fedcba9876543210", "used lately"],
  ]);
  expect(readdirSync(join(own, "float32"))).toEqual(["new.safetensors"]);
  await held.release();
  await pruneCaches(await entries(), { days: 0 });
  expect((await entries()).map(({ kind }) => kind)).toEqual(["unknown"]);
  expect(existsSync(join(run, "7f3a91c2", "result.json"))).toBe(true);
});

test("an entry that comes into use between listing and removal is kept", async () => {
  const { own, run } = caches();
  const entries = await cacheEntries(own, [run]);
  await using _ = await markInUse(join(own, "float32", "old.safetensors"));
  const pruned = await pruneCaches(entries, { days: 0, now: NOW });
  expect(pruned.find(({ entry }) => entry.path.endsWith("old.safetensors"))!.kept).toBe("in use");
});

test("finishes the removal that a stopped process began", async () => {
  const { own } = caches();
  put(join(own, "float32", "old.safetensors.removing-0123456789abcdef"), 0);
  const pruned = await pruneCaches(await cacheEntries(own, []), { days: 30, now: NOW });
  expect(pruned.filter(({ entry }) => entry.kind === "left over").map(({ kept }) => kept)).toEqual([
    undefined,
  ]);
});

test("an open store of embeddings is in use until it is closed, and says whose they are", async () => {
  const folder = temporaryFolder();
  const model: Model = {
    name: "small",
    identity: "small 1",
    async embed(sequences) {
      return sequences.map(() => ({
        states: new Float32Array(2),
        tokens: 1,
        width: 2,
        starts: Int32Array.of(0),
        ends: Int32Array.of(4),
      }));
    },
  };
  const embedder = new Embedder({ model, protocol: "corrected", batchSize: 4 });
  const store = new EmbeddingStore({ folder, embedder, storedAs: "float32" });
  const sequence = { bases: "ACGT", origin: { task: "t", row: 0, member: 0 } };
  const [place] = await store.add([sequence]);
  const [entry] = await cacheEntries(join(folder, "none"), [folder]);
  expect([entry.what, entry.users.length]).toEqual(["embeddings of small, corrected protocol, float32", 1]);
  const prune = async () => pruneCaches(await cacheEntries(join(folder, "none"), [folder]), { days: 0 });
  expect((await prune()).map(({ kept }) => kept)).toEqual(["in use"]);
  await store.read([place]);
  await store.close();
  expect((await prune()).map(({ kept }) => kept)).toEqual([undefined]);
  expect(readdirSync(folder)).toEqual([]);
});
