import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { writeChunk } from "../../../src/evaluation/embeddings/embedded-chunk.ts";
import { EmbeddingStore } from "../../../src/evaluation/embeddings/embedding-store.ts";
import { writeSafetensors } from "../../../src/net/arrays/write-safetensors.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { type EmbeddingModel, embeddingModel } from "../classified-task.ts";

const sequences = ["ACGTACG", "GG", "TTTTTTTTTTTT", "A"].map((letters, row) => ({
  letters,
  origin: { task: "t", row, member: 0 },
}));

const storeOf = (folder: string, model: EmbeddingModel, protocol: "paper" | "corrected" = "corrected") =>
  new EmbeddingStore({ folder, model, protocol, batchSize: 3 });

test("embeddings are read one by one as the model gave them, from one file per chunk", async () => {
  const folder = temporaryFolder();
  const model = embeddingModel({ perToken: 2 });
  const store = storeOf(folder, model);
  expect(await store.ensure(sequences)).toBe(true);
  expect(model.calls.map(({ length }) => length)).toEqual([3, 1]);
  const expected = model.embed!(
    sequences.map(({ letters }) => letters),
    { protocol: "corrected" },
  );
  const place = store.chunkOf(sequences);
  for (const i of [2, 0, 3, 1]) {
    expect(await store.read(place, i)).toEqual((expected as readonly unknown[])[i]);
  }
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".safetensors"));
  expect(files).toHaveLength(1);
  await store.close();
});

test("a chunk is made once for a model, a protocol and letters, and anew for others", async () => {
  const folder = temporaryFolder();
  const first = storeOf(folder, embeddingModel());
  expect(await first.ensure(sequences)).toBe(true);
  expect(await storeOf(folder, embeddingModel()).ensure(sequences)).toBe(false);
  expect(await storeOf(folder, embeddingModel({ identity: "other" })).ensure(sequences)).toBe(true);
  expect(await storeOf(folder, embeddingModel(), "paper").ensure(sequences)).toBe(true);
  expect(await first.ensure(sequences.slice(1))).toBe(true);
  const padded = sequences.map((sequence) => ({ ...sequence, padTo: 20 }));
  expect(await first.ensure(padded)).toBe(true);
});

test("more chunks than are kept open at once are read in any order", async () => {
  const store = storeOf(temporaryFolder(), embeddingModel());
  const chunks = Array.from({ length: 70 }, (_, row) => [
    { letters: `ACG${"T".repeat(row)}`, origin: { task: "t", row, member: 0 } },
  ]);
  for (const chunk of chunks) await store.ensure(chunk);
  for (let round = 0; round < 2; round++) {
    for (const [i, chunk] of chunks.entries()) {
      expect((await store.read(store.chunkOf(chunk), 0)).tokens).toBe(i + 4);
    }
  }
  await store.close();
});

test("padding is not kept", async () => {
  const model = embeddingModel();
  const padding = {
    ...model,
    tokenCount: (letters: string) => letters.length + 1,
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
  const asked = ["ACG", "ACGTA"].map((letters, i) => ({ ...sequences[i]!, letters }));
  await store.ensure(asked);
  const [short, long] = [
    await store.read(store.chunkOf(asked), 0),
    await store.read(store.chunkOf(asked), 1),
  ];
  expect([short.tokens, [...short.states], long.tokens]).toEqual([4, [0, 1, 2, 3, 4, 5, 6, 7], 6]);
  await store.close();
});

test("a file that is no chunk, or whose parts contradict one another, is refused", async () => {
  const store = storeOf(temporaryFolder(), embeddingModel());
  const { file } = store.chunkOf(sequences);
  const states = { name: "states", dtype: "float32", shape: [2, 2], data: new Float32Array(4) } as const;
  await writeSafetensors(file, [states]);
  await expect(store.read({ file, sequences: 4 }, 0)).rejects.toThrow(/there is no offsets/);
  const integers = (name: string, ...values: number[]) =>
    ({ name, dtype: "int32", shape: [values.length], data: Int32Array.from(values) }) as const;
  const other = store.chunkOf(sequences.slice(1));
  const parts = [states, integers("offsets", 0, 3), integers("starts", 0, 1), integers("ends", 1, 2)];
  await writeSafetensors(other.file, parts, { digests: "0" });
  await expect(store.read(other, 0)).rejects.toThrow(/the parts do not fit together/);
});

test("a chunk of one token is read whole", async () => {
  const store = storeOf(temporaryFolder(), embeddingModel());
  const place = store.chunkOf(sequences);
  const embedding = {
    states: Float32Array.of(1, 2, 3),
    tokens: 1,
    width: 3,
    starts: Int32Array.of(0),
    ends: Int32Array.of(4),
  };
  await writeChunk(place.file, [embedding]);
  expect(await store.read(place, 0)).toEqual(embedding);
  await store.close();
});
