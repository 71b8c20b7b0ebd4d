import { mkdtempSync, rmSync } from "node:fs";
import { rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import {
  type CheckpointFolder,
  openCheckpointFolder,
} from "../../src/models/checkpoints/checkpoint-folder.ts";
import { initCheckpoint } from "../../src/models/checkpoints/init.ts";
import { LANGUAGE_MODELS } from "../../src/models/language/catalogue.ts";
import { placedWeights, weightMemory } from "../../src/models/language/parameters.ts";
import { statesQuery } from "../../src/models/queries/embeddings.ts";
import { Programs } from "../../src/models/queries/programs.ts";
import { FineTuning } from "../../src/models/training/fine-tuning.ts";
import { elementCount, type NdArray } from "../../src/net/arrays/array.ts";
import { openCheckpoint } from "../../src/net/arrays/checkpoint.ts";
import { writeSafetensors } from "../../src/net/arrays/safetensors.ts";
import type { StoredArray } from "../../src/net/arrays/stored-array.ts";
import { input, mul } from "../../src/net/graph/build.ts";
import { crossEntropy } from "../../src/net/nn/losses.ts";
import { workingDevice } from "../../src/net/runtime/program.ts";
import { openTrainStep } from "../../src/net/train/train-step.ts";

const folder = mkdtempSync(join(tmpdir(), "dart-eval-large-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The checkpoint with its floats in bfloat16, by dropping bits. */
async function inBfloat16(at: string): Promise<void> {
  const file = join(at, "model.safetensors");
  const short = `${file}.short`;
  {
    await using checkpoint = await openCheckpoint(file);
    const arrays = [...checkpoint.arrays.values()].map(async ({ name, shape, dtype }) => {
      const { data } = await checkpoint.read(name);
      if (dtype !== "float32") return { name, shape, dtype, data };
      const bits = new Uint32Array((data as Float32Array).slice().buffer);
      return { name, shape, dtype: "bfloat16" as const, data: Uint16Array.from(bits, (each) => each >>> 16) };
    });
    await writeSafetensors(short, await Promise.all(arrays));
  }
  await rename(short, file);
}

/** The folder as for a large model: every weight with axes is loaded for each use. */
const perUse = (opened: CheckpointFolder): CheckpointFolder => ({
  ...opened,
  parameters: new Map(
    [...opened.parameters].map(([name, stored]) => [
      name,
      elementCount(stored.shape) > 8 ? { ...stored, perUse: true } : stored,
    ]),
  ),
});

async function states({ architecture, parameters, read }: CheckpointFolder): Promise<Float32Array> {
  const programs = new Programs(architecture, parameters, read, { threads: 1 });
  const tokens = 12;
  const ids = Int32Array.from({ length: 2 * tokens }, (_, i) => 3 + (i % 3));
  const shape = [2, tokens];
  const { states: found } = await programs.run(statesQuery, {
    ids: { dtype: "int32", shape, data: ids },
    mask: { dtype: "float32", shape, data: new Float32Array(2 * tokens).fill(1) },
  });
  await programs.close();
  return found.data as Float32Array;
}

describe.each(LANGUAGE_MODELS.map((card) => [card.name, card] as const))("%s in bfloat16", (name, card) => {
  test("loads its weights for each use, with the same states", async () => {
    const at = join(folder, name);
    await initCheckpoint(card, { preset: "toy", seed: 1, folder: at });
    await inBfloat16(at);
    const opened = await openCheckpointFolder(at, [card]);
    const held = await states(opened);
    const loaded = await states(perUse(opened));
    await opened.close();
    expect(held.some((value) => Math.abs(value) > 1e-3)).toBe(true);
    const largest = held.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    loaded.forEach((value, i) => {
      expect(Math.abs(value - held[i])).toBeLessThan(1e-5 * largest);
    });
  });
});

test.each(["llama", "mistral-dna"])(
  "%s trains LoRA factors on weights that are loaded for each use",
  async (name) => {
    const card = LANGUAGE_MODELS.find((each) => each.name === name)!;
    const recipe = { rank: 2, alpha: 4, dropout: 0 };
    const labels: NdArray = { dtype: "int32", shape: [2], data: Int32Array.of(0, 1) };
    const opened = await openCheckpointFolder(join(folder, name), [card]);
    const losses: number[] = [];
    for (const weights of [opened, perUse(opened)]) {
      const tuning = new FineTuning(weights, { labels: 2, recipe, seed: 7 }, { threads: 1 });
      const graph = await tuning.graph("training");
      const step = await openTrainStep({
        loss: mul(crossEntropy(graph.logits, input("labels", "int32", ["b"])), 1),
        trained: tuning.readBy(graph),
        frozen: graph.frozen,
        reached: graph.reached,
        optimizer: { learningRate: 0.005 },
        program: { threads: 1 },
      });
      const feeds = tuning.feeds(["ACGTACGTACGT", "AAAACCCCGGGG"]);
      const batch = { ...feeds, ...tuning.dropout({ epoch: 0, batch: 0 }, feeds), labels };
      for (let i = 0; i < 3; i++) losses.push(Number((await step.run(batch)).loss.data[0]));
      await step.close();
    }
    await opened.close();
    const [first, , last] = losses;
    expect(last).toBeLessThan(first);
    losses.slice(3).forEach((loss, i) => {
      expect(loss).toBeCloseTo(losses[i], 4);
    });
  },
);

describe("a model of 7 billion parameters", () => {
  const stored = (name: string, dtype: StoredArray["dtype"], shape: readonly number[]): StoredArray => {
    const length = elementCount(shape) * (dtype === "float32" ? 4 : 2);
    return { name, dtype, shape, file: "/model.safetensors", offset: 0, length };
  };
  const shape = [100_000, 35_000];
  const of = (dtype: StoredArray["dtype"]) =>
    new Map([
      ["a", stored("a", dtype, shape)],
      ["b", stored("b", dtype, shape)],
      ["tied", stored("b", dtype, shape)],
      ["norm", stored("norm", dtype, [1000])],
    ]);
  const tensors = ["a", "b", "norm"].map((name) => ({ name, shape, aliases: [] }));

  test("is mapped from its file on the CPU, in any float type", async () => {
    for (const dtype of ["bfloat16", "float16", "float32"] as const) {
      const parameters = await placedWeights(of(dtype));
      expect([...parameters.values()].map((each) => each.perUse ?? false)).toEqual([true, true, true, false]);
      const bytes = dtype === "float32" ? 4 : 2;
      expect(weightMemory({ tensors }, parameters).mapped).toBe(bytes * 7e9);
    }
  });

  test("is held on a GPU, and in 8 bits", async () => {
    for (const options of [{ device: "cuda" }, { device: "webgpu" }, { precision: "int8" }] as const) {
      const parameters = await placedWeights(of("float32"), options);
      expect(weightMemory({ tensors }, parameters)).toEqual({ held: 4 * 7e9 + 4000, mapped: 0 });
    }
  });

  test("is placed by the device that auto selects", async () => {
    const device = await workingDevice("auto");
    expect(await placedWeights(of("float32"), { device: "auto" })).toEqual(
      await placedWeights(of("float32"), { device }),
    );
  });

  test("is larger than what is held; a tied weight counts once", async () => {
    const half = new Map(
      [...of("float32")].map(([name, each]) => [name, { ...each, shape: [25_000, 20_000] }]),
    );
    expect([...(await placedWeights(half)).values()].some((each) => each.perUse)).toBe(true);
    half.delete("norm");
    expect([...(await placedWeights(half)).values()].some((each) => each.perUse)).toBe(false);
  });
});
