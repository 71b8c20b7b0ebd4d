import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Embedder } from "../../../src/evaluation/embeddings/embedder.ts";
import {
  openEmbeddingShard,
  writeEmbeddingShard,
} from "../../../src/evaluation/embeddings/embedding-shard.ts";
import { EmbeddingStore } from "../../../src/evaluation/embeddings/embedding-store.ts";
import { embeddingBytes, type StoredAs } from "../../../src/evaluation/embeddings/packed-embedding.ts";
import type { SequenceEmbedding } from "../../../src/models/model.ts";
import { openCheckpoint } from "../../../src/net/arrays/checkpoint.ts";
import { writeSafetensors } from "../../../src/net/arrays/safetensors.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { type EmbeddingModel, embeddingModel } from "../classified-task.ts";

const placed = (bases: readonly string[]) =>
  bases.map((each, row) => ({ bases: each, origin: { task: "t", row, member: 0 } }));

const sequences = placed(["ACGTACG", "GG", "TTTTTTTTTTTT", "A"]);

interface StoreOptions {
  readonly protocol?: "paper" | "corrected";
  readonly storedAs?: StoredAs;
}

const storeOf = (
  folder: string | undefined,
  model: EmbeddingModel,
  { protocol = "corrected", storedAs = "float32" }: StoreOptions = {},
) => new EmbeddingStore({ folder, embedder: new Embedder({ model, protocol, batchSize: 3 }), storedAs });

const filesBelow = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".safetensors"))
    .map((name) => join(folder, name));

const embedded = (model: EmbeddingModel, bases: readonly string[]) =>
  model.embed!(bases, { protocol: "corrected" }) as readonly SequenceEmbedding[];

test.each(["on disk", "in memory"])(
  "embeddings are read one by one as the model gave them, %s",
  async (where) => {
    const folder = temporaryFolder();
    const model = embeddingModel({ perToken: 2 });
    const store = storeOf(where === "on disk" ? folder : undefined, model);
    const places = await store.add(sequences);
    expect(model.calls.map(({ length }) => length)).toEqual([3, 1]);
    const expected = embedded(
      model,
      sequences.map(({ bases }) => bases),
    );
    for (const i of [2, 0, 3, 1]) expect((await store.read([places[i]]))[0]).toEqual(expected[i]);
    expect(filesBelow(folder)).toHaveLength(where === "on disk" ? 1 : 0);
    await store.close();
  },
);

test("embeds and stores a sequence once", async () => {
  const folder = temporaryFolder();
  const model = embeddingModel();
  const store = storeOf(folder, model);
  const places = await store.add(placed(["ACG", "GG", "ACG", "T"]));
  expect(model.calls).toEqual([["ACG", "GG", "T"]]);
  expect(places[2]).toBe(places[0]);
  await store.add(placed(["T", "C", "ACG"]));
  expect(model.calls.at(-1)).toEqual(["C"]);
  await store.close();

  const later = embeddingModel();
  const found = storeOf(folder, later);
  const [c, acg] = await found.add(placed(["C", "ACG"]));
  expect(later.calls).toEqual([]);
  expect((await found.read([c]))[0]).toEqual(embedded(model, ["C"])[0]);
  expect((await found.read([acg]))[0]).toEqual(embedded(model, ["ACG"])[0]);
  await found.close();
  let stored = 0;
  for (const file of filesBelow(folder)) {
    const piece = await openEmbeddingShard(file);
    stored += piece.keys.length;
    await piece.close();
  }
  expect(stored).toBe(4);
});

test("another model, protocol, precision or padding is stored apart", async () => {
  const folder = temporaryFolder();
  const calls = async (model: EmbeddingModel, options?: StoreOptions, padTo?: number) => {
    const store = storeOf(folder, model, options);
    await store.add(sequences.map((sequence) => ({ ...sequence, padTo })));
    await store.close();
    return model.calls.length;
  };
  expect(await calls(embeddingModel())).toBe(2);
  expect(await calls(embeddingModel())).toBe(0);
  expect(await calls(embeddingModel({ identity: "other" }))).toBe(2);
  expect(await calls(embeddingModel(), { protocol: "paper" })).toBe(2);
  expect(await calls(embeddingModel(), { storedAs: "float16" })).toBe(2);
  expect(await calls(embeddingModel(), {}, 20)).toBe(2);
});

test("an interrupted extraction resumes with the first missing shard", async () => {
  const folder = temporaryFolder();
  const many = placed(
    Array.from({ length: 300 }, (_, i) => i.toString(4).replace(/\d/g, (d) => "ACGT"[Number(d)])),
  );
  const blocks = [many.slice(0, 128), many.slice(128, 256), many.slice(256)];
  const killed = storeOf(folder, embeddingModel({ failAt: 60 }));
  await killed.add(blocks[0]);
  await expect(killed.add(blocks[1])).rejects.toThrow("killed");
  await killed.close();
  const model = embeddingModel();
  const store = storeOf(folder, model);
  for (const block of blocks) await store.add(block);
  expect(model.calls.flat()).toEqual(many.slice(128).map(({ bases }) => bases));
  await store.close();
});

test("two stores that write the same shards concurrently both read them", async () => {
  const folder = temporaryFolder();
  const stores = [storeOf(folder, embeddingModel()), storeOf(folder, embeddingModel())];
  const expected = embedded(embeddingModel(), ["ACGTACG", "GG"]);
  // Each store also finds sequences that the other stored in shards of other contents.
  await stores[0].add([]);
  await stores[1].add([]);
  const places = [await stores[0].add(sequences), await stores[1].add(sequences.slice(0, 2))];
  const again = await Promise.all(stores.map((store) => store.add(sequences)));
  for (const [i, store] of stores.entries()) {
    for (const k of [0, 1]) {
      expect((await store.read([places[i][k]]))[0]).toEqual(expected[k]);
      expect((await store.read([again[i][k]]))[0]).toEqual(expected[k]);
    }
    await store.close();
  }
  const third = storeOf(folder, embeddingModel());
  for (const [k, place] of (await third.add(sequences.slice(0, 2))).entries()) {
    expect((await third.read([place]))[0]).toEqual(expected[k]);
  }
  await third.close();
});

test("reads more shards than stay open, in any order", async () => {
  const store = storeOf(temporaryFolder(), embeddingModel());
  const places: number[] = [];
  for (let row = 0; row < 70; row++) places.push(...(await store.add(placed([`ACG${"T".repeat(row)}`]))));
  for (let round = 0; round < 2; round++) {
    for (const [i, place] of places.entries()) expect((await store.read([place]))[0].tokens).toBe(i + 4);
  }
  await store.close();
});

test("does not store padding", async () => {
  const model = embeddingModel();
  const padding = {
    ...model,
    tokenCount: (bases: string) => bases.length + 1,
    embed: () =>
      ["ACG", "ACGTA"].map(() => ({
        states: Float32Array.from({ length: 6 * 2 }, (_, i) => i),
        tokens: 6,
        width: 2,
        starts: new Int32Array(6),
        ends: new Int32Array(6),
      })),
  };
  const store = storeOf(temporaryFolder(), padding);
  const [short, long] = await store.add(placed(["ACG", "ACGTA"]));
  const [first] = await store.read([short]);
  expect([first.tokens, [...first.states], (await store.read([long]))[0].tokens]).toEqual([
    4,
    [0, 1, 2, 3, 4, 5, 6, 7],
    6,
  ]);
  await store.close();
});

test("float16 takes half the bytes of float32, bases of tokens included, as planned", async () => {
  const wide = (bases: string) => ({
    states: Float32Array.from({ length: 101 * 64 }, (_, i) => Math.sin(i + bases.length)),
    tokens: 101,
    width: 64,
    starts: Int32Array.from({ length: 101 }, (_, i) => i),
    ends: Int32Array.from({ length: 101 }, (_, i) => i + 1),
  });
  const model = {
    ...embeddingModel(),
    embed: (some: readonly string[]) => some.map(wide),
    tokenCount: () => 101,
  };
  const many = placed(Array.from({ length: 128 }, (_, i) => "A".repeat(i + 1)));
  const bytes = async (storedAs: StoredAs) => {
    const folder = temporaryFolder();
    const store = storeOf(folder, model, { storedAs });
    await store.add(many);
    await store.close();
    const size = filesBelow(folder).reduce((sum, file) => sum + statSync(file).size, 0);
    const planned = many.length * embeddingBytes({ tokens: 101, width: 64 }, storedAs);
    expect(size).toBeLessThanOrEqual(planned * 1.001);
    expect(size).toBeGreaterThan(planned * 0.99);
    return size;
  };
  const full = await bytes("float32");
  const before = many.length * 101 * (64 * 4 + 8);
  expect(full).toBeLessThan(before);
  expect(await bytes("float16")).toBeLessThan(before / 2);
});

test("refuses a file that is not a shard, or has inconsistent arrays", async () => {
  const folder = temporaryFolder();
  const file = join(folder, "piece.safetensors");
  const states = { name: "states", dtype: "float32", shape: [2, 2], data: new Float32Array(4) } as const;
  await writeSafetensors(file, [states]);
  await expect(openEmbeddingShard(file)).rejects.toThrow(/there is no offsets/);
  const integers = (name: string, ...values: number[]) =>
    ({ name, dtype: "int32", shape: [values.length], data: Int32Array.from(values) }) as const;
  const parts = [states, integers("offsets", 0, 3), integers("starts", 0, 1), integers("lengths", 1, 1)];
  await writeSafetensors(file, parts, { digests: "0", keys: "1" });
  await expect(openEmbeddingShard(file)).rejects.toThrow(/the arrays do not fit together/);
  await writeSafetensors(file, parts, { digests: "0" });
  await expect(openEmbeddingShard(file)).rejects.toThrow(/lists no sequences/);
});

test.each(["states", "starts", "lengths"])("a flipped bit in %s of a shard is found", async (name) => {
  const file = join(temporaryFolder(), "piece.safetensors");
  const [embedding] = embedded(embeddingModel(), ["ACGTACG"]);
  await writeEmbeddingShard(file, ["key"], [embedding]);
  const checkpoint = await openCheckpoint(file);
  const { offset } = checkpoint.arrays.get(name)!;
  await checkpoint.close();
  const bytes = readFileSync(file);
  bytes[offset] = bytes[offset] ^ 1;
  writeFileSync(file, bytes);
  const piece = await openEmbeddingShard(file);
  await expect(piece.read(0)).rejects.toThrow(/does not match its digest/);
  await piece.close();
});

test("a shard of one token is read whole", async () => {
  const file = join(temporaryFolder(), "piece.safetensors");
  const embedding = {
    states: Float32Array.of(1, 2, 3),
    tokens: 1,
    width: 3,
    starts: Int32Array.of(0),
    ends: Int32Array.of(70_000),
  };
  await writeEmbeddingShard(file, ["key"], [embedding]);
  const piece = await openEmbeddingShard(file);
  expect(await piece.read(0)).toEqual(embedding);
  await piece.close();
});
