import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { openCheckpointFolder } from "../../src/models/checkpoints/checkpoint-folder.ts";
import { initCheckpoint } from "../../src/models/checkpoints/init.ts";
import { LANGUAGE_MODELS } from "../../src/models/language/catalogue.ts";
import { LanguageModel } from "../../src/models/language-model.ts";
import { FineTuning, type FineTuningRequest } from "../../src/models/training/fine-tuning.ts";
import type { NdArray } from "../../src/net/arrays/array.ts";
import { openCheckpoint } from "../../src/net/arrays/checkpoint.ts";
import { writeSafetensors } from "../../src/net/arrays/safetensors.ts";
import { input, mul } from "../../src/net/graph/build.ts";
import { graphOf } from "../../src/net/graph/graph.ts";
import { crossEntropy } from "../../src/net/nn/losses.ts";
import type { ProgramOptions } from "../../src/net/runtime/program.ts";
import { readArrays } from "../../src/net/train/fit-state.ts";
import { openTrainStep } from "../../src/net/train/train-step.ts";
import { shallow } from "./shallow.ts";

const folder = mkdtempSync(join(tmpdir(), "dart-eval-fine-tuning-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Tiny programs gain nothing from more threads. */
const THREADS = { threads: 1 };

const request = { labels: 2, recipe: { rank: 4, alpha: 8, dropout: 0.05 }, seed: 7 };

async function openFineTuning(at: string, ofRequest: FineTuningRequest, options: ProgramOptions = {}) {
  return new FineTuning(await openCheckpointFolder(at, LANGUAGE_MODELS), ofRequest, options);
}

/** Runs of one base against runs of another, at different positions. */
const SEQUENCES = ["ACGTAAAAAAAA", "AAAAAAACGTAA", "CCCCCACGTCCC", "CCACGTCCCCCC"];
const labels: NdArray = { dtype: "int32", shape: [4], data: Int32Array.of(0, 0, 1, 1) };

/** Names of a factor and of the classifier in the original's state dict, per family. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  dnabert2: [
    "model.bert.encoder.model.layer.1.attention.self.Wqkv.parametrizations.weight.0.lora_A",
    "model.bert.embeddings.model.word_embeddings.parametrizations.weight.0.lora_B",
    "model.bert.pooler.dense.weight",
    "model.classifier.bias",
  ],
  "gena-lm": [
    "model.bert.encoder.model.layer.0.attention.output.dense.parametrizations.weight.0.lora_A",
    "model.bert.embeddings.model.position_embeddings.parametrizations.weight.0.lora_A",
    "model.classifier.weight",
  ],
  "nucleotide-transformer": [
    "model.esm.model.encoder.layer.0.attention.self.query.parametrizations.weight.0.lora_A",
    "model.esm.model.contact_head.regression.parametrizations.weight.0.lora_B",
    "model.classifier.out_proj.weight",
  ],
  "mistral-dna": [
    "model.model.model.layers.0.block_sparse_moe.experts.0.w1.parametrizations.weight.0.lora_A",
    "model.model.model.embed_tokens.parametrizations.weight.0.lora_A",
    "model.score.weight",
  ],
  hyenadna: [
    "model.hyena.model.backbone.layers.0.mixer.filter_fn.implicit_filter.2.parametrizations.weight.0.lora_A",
    "model.hyena.model.backbone.layers.1.mixer.in_proj.parametrizations.weight.0.lora_B",
    "model.score.weight",
  ],
  caduceus: [
    "model.caduceus.model.backbone.layers.0.mixer.submodule.mamba_fwd.in_proj.parametrizations.weight.0.lora_A",
    "model.caduceus.model.backbone.layers.0.mixer.submodule.mamba_rev.in_proj.parametrizations.weight.0.lora_A",
    "model.score.weight",
  ],
};

/** Families with a trained toy; architectures.test.ts compares gradients of the others with PyTorch's. */
const FAMILIES = LANGUAGE_MODELS.filter(({ toy }) => toy);

test("covers every family with a trained toy", () => {
  expect(FAMILIES.map(({ name }) => name).toSorted()).toEqual(Object.keys(NAMES).toSorted());
});

describe.each(FAMILIES.map((card) => [card.title, card] as const))("%s", (_, card) => {
  const at = join(folder, card.name);
  const made = initCheckpoint(shallow(card), { preset: "toy", seed: 1, folder: at });

  test("is fine-tuned, kept in a file, and read again to the same logits", async () => {
    await made;
    const tuning = await openFineTuning(at, request, THREADS);
    onTestFinished(() => tuning.close());
    const feeds = tuning.feeds(SEQUENCES);
    const graph = await tuning.graph("training", feeds.ids.shape[1]);
    const initial = tuning.initial();
    const trained = tuning.readBy(graph);
    for (const source of graph.frozen.values()) {
      if (source !== "fed" && !("file" in source)) expect(source.data.length).toBeLessThan(2000);
    }
    const step = await openTrainStep({
      loss: crossEntropy(graph.logits, input("labels", "int32", ["b"])),
      trained,
      frozen: graph.frozen,
      optimizer: { learningRate: 5e-3, weightDecay: 0.01 },
      program: THREADS,
    });
    onTestFinished(() => step.close());
    const losses: number[] = [];
    for (let batch = 0; batch < 20; batch++) {
      const place = { epoch: 0, batch };
      losses.push(
        Number((await step.run({ ...feeds, ...tuning.dropout(place, feeds), labels })).loss.data[0]),
      );
    }
    expect(losses.at(-1)!).toBeLessThan(losses[0] / 2);
    const { arrays } = await step.state();
    const values = new Map([...trained.keys()].map((name) => [name, arrays.get(`parameter ${name}`)!]));
    const logits = await tuning.logits(SEQUENCES, values);
    expect(logits.map(([a, b]) => Number(b > a))).toEqual([0, 0, 1, 1]);
    expect((await tuning.logits(SEQUENCES.slice(2, 3), values))[0][0]).toBeCloseTo(logits[2][0], 4);

    const file = join(at, "adapter.safetensors");
    await tuning.save(file, values);
    await using stored = await openCheckpoint(file);
    expect([...stored.arrays.keys()]).toEqual(expect.arrayContaining([...NAMES[card.name]]));
    expect(stored.arrays.size).toBe(initial.size);
    const model = await LanguageModel.open(at, LANGUAGE_MODELS, THREADS);
    onTestFinished(() => model.close());
    const again = await model.fineTune({ ...request, seed: 8 });
    onTestFinished(() => again.close());
    // as saved by the original: an empty buffer in addition to the factors and the classifier
    const empty = {
      name: "device_indicator",
      dtype: "float32",
      shape: [0],
      data: new Float32Array(0),
    } as const;
    const saved = [...(await readArrays(file))].map(([name, array]) => ({ name, ...array }));
    await writeSafetensors(join(at, "original.safetensors"), [...saved, empty]);
    // best.safetensors of a run: the values that the graph reads, by its own names
    const best = [...values].map(([name, array]) => ({ name, ...array }));
    await writeSafetensors(join(at, "best.safetensors"), best);
    const files = [
      await again.load(join(at, "original.safetensors")),
      await again.load(join(at, "best.safetensors"), values.keys()),
    ];
    for (const read of files) {
      const same = await again.logits(SEQUENCES, read);
      expect(same.map((row) => [...row])).toEqual(logits.map((row) => [...row]));
    }
  }, 60_000);
});

test("a model that answers on another device is fine-tuned in the form that suits the processor, which trains it", async () => {
  const at = join(folder, "caduceus-elsewhere");
  const card = LANGUAGE_MODELS.find(({ name }) => name === "caduceus")!;
  await initCheckpoint(shallow(card), { preset: "toy", seed: 0, folder: at });
  const model = await LanguageModel.open(at, [card], { device: "webgpu" });
  const tuning = await model.fineTune(request);
  const { logits } = await tuning.graph("training", 13);
  await tuning.close();
  await model.close();
  expect(graphOf({ logits }).nodes.some(({ op }) => op === "Scan")).toBe(true);
});

test("first values are the seed's, B is zero and A within its bound, so nothing is changed before training", async () => {
  const at = join(folder, "begin");
  await initCheckpoint(LANGUAGE_MODELS.find(({ name }) => name === "hyenadna")!, {
    preset: "toy",
    seed: 1,
    folder: at,
  });
  const first = await openFineTuning(at, request);
  const other = await openFineTuning(at, { ...request, seed: 8 });
  for (const [name, { data, shape }] of first.initial()) {
    const values = [...(data as Float32Array)];
    const most = Math.max(...values.map(Math.abs));
    if (name.endsWith("lora_B")) expect(most).toBe(0);
    else if (name.endsWith("lora_A")) {
      expect(most).toBeLessThanOrEqual(1 / Math.sqrt(shape[1]));
      expect(most).toBeGreaterThan(0.5 / Math.sqrt(shape[1]));
    }
    const drawnAnew = [...(other.initial().get(name)!.data as Float32Array)];
    expect(values.every((value, i) => value === drawnAnew[i])).toBe(name.endsWith("lora_B"));
  }
  const feeds = first.feeds(SEQUENCES);
  const masks = first.dropout({ epoch: 1, batch: 2 }, feeds);
  expect(masks).toEqual(first.dropout({ epoch: 1, batch: 2 }, feeds));
  expect(masks).not.toEqual(first.dropout({ epoch: 1, batch: 3 }, feeds));
  expect(masks).not.toEqual(first.dropout({ epoch: 1, batch: 2, member: 1 }, feeds));
  expect(masks).toEqual(first.dropout({ epoch: 1, batch: 2, from: 2 }, first.feeds(SEQUENCES.slice(2))));
  const all = Object.values(masks).flatMap(({ data }) => [...(data as Float32Array)]);
  expect(new Set(all)).toEqual(new Set([0, Math.fround(1 / 0.95)]));
  expect(all.filter((value) => value === 0).length / all.length).toBeCloseTo(0.05, 1);
  await first.close();
  await other.close();
});

test("experts without tokens are not updated, not even by weight decay", async () => {
  const card = LANGUAGE_MODELS.find(({ name }) => name === "mistral-dna")!;
  const at = join(folder, "experts");
  await initCheckpoint(card, { preset: "toy", seed: 1, folder: at });
  const tuning = await openFineTuning(at, request, THREADS);
  onTestFinished(() => tuning.close());
  const graph = await tuning.graph("training");
  const experts = [...graph.reached.keys()];
  expect(experts.length).toBeGreaterThan(6);
  for (const name of experts) expect(name).toMatch(/experts\.\d+\.w[123]\.parametrizations.*lora_[AB]$/);
  const trained = tuning.readBy(graph);
  const step = await openTrainStep({
    loss: crossEntropy(graph.logits, input("labels", "int32", ["b"])),
    trained,
    frozen: graph.frozen,
    reached: graph.reached,
    optimizer: { learningRate: 1e-3, weightDecay: 0.5 },
    program: THREADS,
  });
  onTestFinished(() => step.close());
  // a repeated base is routed to few experts
  const feeds = tuning.feeds(["AAAAAAAA", "AAAAAAAA"]);
  const two: NdArray = { dtype: "int32", shape: [2], data: Int32Array.of(0, 1) };
  await step.run({ ...feeds, ...tuning.dropout({ epoch: 0, batch: 0 }, feeds), labels: two });
  const { arrays } = await step.state();
  const factors = experts.filter((name) => name.endsWith("lora_A"));
  const moved = factors.filter((name) => {
    const [now, before] = [arrays.get(`parameter ${name}`)!.data, trained.get(name)!.data];
    return (now as Float32Array).some((value, k) => value !== before[k]);
  });
  expect(moved.length).toBeGreaterThan(0);
  expect(moved.length).toBeLessThan(factors.length);
  for (const name of factors) {
    expect(arrays.get(`steps ${name}`)!.data[0], name).toBe(Number(moved.includes(name)));
  }
});

test("how a batch is parted changes nothing: a sequence keeps its dropout, and a member its LoRA masks", async () => {
  const card = LANGUAGE_MODELS.find(({ name }) => name === "dnabert2")!;
  const at = join(folder, "parts");
  await initCheckpoint(card, { preset: "toy", seed: 1, folder: at });
  const tuning = await openFineTuning(at, request, THREADS);
  onTestFinished(() => tuning.close());
  const graph = await tuning.graph("training");
  const inputs = graphOf({ logits: graph.logits }).inputs.map(({ attributes }) => attributes.name);
  // after the embeddings, two in each of two layers, and in the classifier
  expect(inputs.filter((name) => name.startsWith("dropout "))).toHaveLength(6);
  const sequences = ["ACGTAAAAAAAA", "AAAAAAACGTAAGGTCA", "CCCCCACGTCCC"];
  const step = await openTrainStep({
    loss: mul(crossEntropy(graph.logits, input("labels", "int32", ["b"])), input("share", "float32", [])),
    trained: tuning.readBy(graph),
    frozen: graph.frozen,
    optimizer: { learningRate: 1e-3 },
    inParts: true,
    program: THREADS,
  });
  onTestFinished(() => step.close());
  const initial = await step.state();
  const stepped = async (sizes: readonly number[]) => {
    step.restore(initial);
    const parts = sizes.map((size, i) => async () => {
      const from = sizes.slice(0, i).reduce((a, b) => a + b, 0);
      const feeds = tuning.feeds(sequences.slice(from, from + size));
      const labels: NdArray = { dtype: "int32", shape: [size], data: new Int32Array(size).fill(1) };
      const share: NdArray = { dtype: "float32", shape: [], data: Float32Array.of(size / 3) };
      return { ...feeds, labels, share, ...tuning.dropout({ epoch: 0, batch: 5, from }, feeds) };
    });
    return step.runParts(parts);
  };
  const whole = await stepped([3]);
  expect(await stepped([1, 2])).toBeCloseTo(whole, 5);
  expect(await stepped([2, 1])).toBeCloseTo(whole, 5);
});

test("the error for a file that does not fit names the tensor", async () => {
  const at = join(folder, "begin");
  const tuning = await openFineTuning(at, request);
  const file = join(at, "adapter.safetensors");
  await tuning.save(file, tuning.initial());
  const wider = await openFineTuning(at, {
    ...request,
    recipe: { ...request.recipe, rank: 8 },
  });
  await expect(wider.load(file)).rejects.toMatchObject({
    message: expect.stringMatching(/has shape .* expected/),
    place: { file, tensor: expect.stringMatching(/lora_A$/) },
  });
  const stronger = await openFineTuning(at, {
    ...request,
    recipe: { ...request.recipe, alpha: 16 },
  });
  await expect(stronger.load(file)).rejects.toThrow(
    /alpha 8 and rank 4, but the recipe has alpha 16 and rank 4/,
  );
  await stronger.close();
  const integers = [...tuning.initial()].map(([name, { shape, data }]) => ({
    name: name === "score.weight" ? "model.score.weight" : name,
    dtype: "int32" as const,
    shape,
    data: new Int32Array(data.length),
  }));
  await writeSafetensors(join(at, "integers.safetensors"), integers);
  await expect(tuning.load(join(at, "integers.safetensors"))).rejects.toThrow(
    /is int32; expected floating-point/,
  );
  await writeSafetensors(join(at, "other.safetensors"), [
    { name: "model.score.weight", dtype: "float32", shape: [2, 32], data: new Float32Array(64) },
  ]);
  await expect(tuning.load(join(at, "other.safetensors"))).rejects.toThrow(/lacks \d+ tensors: /);
  expect(() => tuning.feeds(["ACGT", "ACGTA"])).toThrow(/differ in length/);
  await expect(tuning.graph("training")).rejects.toThrow(/must be given/);
  await tuning.close();
  await wider.close();
});
