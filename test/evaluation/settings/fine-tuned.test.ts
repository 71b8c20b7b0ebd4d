import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import { PROCESS_BYTES } from "../../../src/evaluation/runs/plan-cell.ts";
import type { RunRequest } from "../../../src/evaluation/runs/request.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { readShardFile } from "../../../src/evaluation/runs/shard-file.ts";
import { fineTuned } from "../../../src/evaluation/settings/fine-tuned.ts";
import { ofKind, type Prediction } from "../../../src/evaluation/tasks/prediction.ts";
import { initCheckpoint } from "../../../src/models/checkpoints/init.ts";
import { languageModelCard } from "../../../src/models/language/catalogue.ts";
import { LanguageModel } from "../../../src/models/language-model.ts";
import { RUNTIME_BYTES } from "../../../src/net/runtime/session-memory.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { classifiedTask, embeddingModel } from "../classified-task.ts";
import { onlyTraining } from "../only-training.ts";

const task = classifiedTask({ rows: 32 });
let root: string;
let model: LanguageModel;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "dart-eval-fine-tuned-"));
  const card = languageModelCard("dnabert2");
  await initCheckpoint(card, { preset: "toy", seed: 0, folder: join(root, "model") });
  model = await LanguageModel.open(join(root, "model"), [card], { device: "cpu" });
});
afterAll(async () => {
  await model.close();
  await rm(root, { recursive: true });
});

async function run(folder: string, more: Partial<RunRequest> = {}) {
  const plan = await planRun({
    tasks: [{ task, inputs: {} }],
    models: [model],
    settings: ["fine-tuned"],
    folder,
    ...more,
  });
  await runShard(plan);
  const cell = join(folder, plan.cells[0].name);
  const training = await onlyTraining(folder);
  const predictions: Prediction[] = [];
  await readShardFile(join(cell, "rows", "001-of-001.jsonl"), (batch) => predictions.push(...batch));
  return { training, predictions };
}

test("fine-tuning is reproducible, and the adapter gives the run's predictions", async () => {
  const folder = temporaryFolder();
  const recipe = { learningRate: 0.003, epochs: 12 };
  const one = await run(folder, { recipe });
  const two = await run(temporaryFolder(), { recipe });
  const bytes = ({ training }: typeof one, name: string) => readFile(join(training, name));
  for (const name of ["adapter.safetensors", "best.safetensors", "train.log"]) {
    expect((await bytes(one, name)).equals(await bytes(two, name)), name).toBe(true);
  }
  expect(one.predictions).toEqual(two.predictions);

  const tuning = await model.fineTune({ labels: 2, recipe: { rank: 2, alpha: 4, dropout: 0.1 }, seed: 0 });
  const values = await tuning.load(join(one.training, "adapter.safetensors"));
  const opened = await task.open({}, { seed: 0 });
  const examples = await opened.examples(
    opened.select({ split: "test", purpose: "evaluate", limit: null }).rows.slice(),
  );
  const logits = await tuning.logits(
    examples.flatMap(({ sequences }) => sequences),
    values,
  );
  const expected = [...ofKind("logits", one.predictions)]
    .sort((a, b) => a.row - b.row)
    .flatMap((prediction) => prediction.logits);
  expect(logits).toHaveLength(expected.length);
  logits.forEach((row, i) => {
    expected[i].forEach((value, k) => {
      expect(row[k]).toBeCloseTo(value, 4);
    });
  });
  await tuning.close();

  const [result] = await mergeRun(folder, { tasks: [task] });
  const cell = (await readdir(folder)).find((name) => /^[0-9a-f]{8}$/.test(name))!;
  const timing = JSON.parse(await readFile(join(folder, cell, "timing.json"), "utf8"));
  expect(timing).toEqual([expect.objectContaining({ device: "cpu" })]);
  const { epochs, device } = result.training!;
  expect(device).toBe("cpu");
  expect(epochs).toHaveLength(12);
  expect(epochs.at(-1)!.trainLoss).toBeLessThan(epochs[0].trainLoss);
});

test("the device that trains is part of a cell that trains, and of no other", async () => {
  const folder = temporaryFolder();
  const plan = (more: Partial<RunRequest>) =>
    planRun({
      tasks: [{ task, inputs: {} }],
      models: [model],
      settings: ["fine-tuned"],
      folder,
      timing: false,
      ...more,
    });
  const { training } = await run(folder, { recipe: { epochs: 1 } });
  await expect(plan({ recipe: { epochs: 1 }, device: "webgpu" })).rejects.toThrow(
    /the run in this folder trains on cpu; webgpu was requested/,
  );
  for (const device of ["cpu", "auto", "coreml"] as const) {
    await (await plan({ recipe: { epochs: 1 }, device })).close();
  }
  const elsewhere = { folder: temporaryFolder(), device: "cuda:1" } as const;
  const [cell] = (await plan(elsewhere)).cells;
  expect(cell.record.cell.trainedOn).toBe("cuda");
  await expect(runShard(await plan(elsewhere))).rejects.toThrow(/cuda:1 is not available/);
  const loaded = await plan({
    ...elsewhere,
    folder: temporaryFolder(),
    weights: join(training, "best.safetensors"),
  });
  expect(loaded.cells[0].record.cell.trainedOn).toBeUndefined();
});

test("batches may be gathered into one step, and dropout follows the seed", async () => {
  const losses = async (recipe: Record<string, number>) => {
    const folder = temporaryFolder();
    const { training } = await run(folder, { recipe: { epochs: 1, ...recipe } });
    return readFile(join(training, "train.log"), "utf8");
  };
  const plain = await losses({});
  expect(await losses({ accumulate: 2 })).not.toBe(plain);
  expect(await losses({ dropout: 0.5 })).not.toBe(plain);
});

test("refuses a model without fineTune and an invalid recipe", async () => {
  expect(fineTuned.unsupportedReason(task, embeddingModel(), "corrected")).toContain("no `fineTune`");
  expect(fineTuned.unsupportedReason(task, model, "corrected")).toBeUndefined();
  await expect(run(temporaryFolder(), { recipe: { dropout: 1 } })).rejects.toThrow(
    /dropout of the recipe is 1/,
  );
  await expect(run(temporaryFolder(), { recipe: { rank: 0 } })).rejects.toThrow(/rank of the recipe is 0/);
});

test("planning refuses a training run that exceeds the memory, with the bytes needed", async () => {
  const planned = (memory: number, recipe: Record<string, number> = {}, setting = "fine-tuned") =>
    planRun({ tasks: [{ task, inputs: {} }], models: [model], settings: [setting], memory, recipe });
  const plan = await planned(8e9);
  await plan.close();
  const needed = plan.cells[0].estimate.memory!;
  expect(needed).toBeGreaterThan(PROCESS_BYTES + RUNTIME_BYTES);
  expect(needed).toBeLessThan(400e6);
  await expect(planned(needed - PROCESS_BYTES - 1000)).rejects.toThrow(
    /^training "model" needs 0\.\d GiB, and 0\.\d GiB are available/,
  );
  const large = await planned(8e9, { batchSize: 100_000, rank: 64 });
  await large.close();
  // large batches are split into parts, which limits their memory
  expect(large.cells[0].estimate.memory!).toBeGreaterThan(needed);
  expect(large.cells[0].estimate.memory!).toBeLessThan(3e9);

  // the head of a probe is trained while the model that embeds is open
  const probed = await planned(8e9, {}, "probed");
  await probed.close();
  const { batchSize, estimate } = probed.cells[0];
  const tokens = model.tokenCount("A".repeat(task.window));
  const ofModel = model.memory(batchSize, tokens, "embedding");
  const ofTraining = estimate.memory! - PROCESS_BYTES - ofModel;
  expect(ofTraining).toBeGreaterThan(1e6);
  await expect(planned(ofTraining / 2, {}, "probed")).rejects.toThrow(/^training "model" needs/);
  await expect(planned(ofTraining + ofModel / 2, {}, "probed")).rejects.toThrow(/^the model "model" needs/);
});
