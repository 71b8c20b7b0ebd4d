import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { InferenceSession } from "onnxruntime-node";
import { expect, test, vi } from "vitest";
import { evaluate } from "../../../src/evaluation/evaluate.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { abInitio } from "../../../src/evaluation/settings/ab-initio.ts";
import type { Task } from "../../../src/evaluation/tasks/task.ts";
import type { Example } from "../../../src/evaluation/tasks/task-rows.ts";
import { NETWORKS } from "../../../src/models/baselines/networks.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { baseCountModel, classifiedTask, embeddingModel } from "../classified-task.ts";

/** Logits from the counts of the bases. */
const counting = baseCountModel("counting");

test("a network trains from sequences alone, reproducibly", async () => {
  const options = { task: classifiedTask(), inputs: {}, model: counting, setting: "ab-initio" } as const;
  const one = await evaluate({ ...options, recipe: { epochs: 8, learningRate: 0.1 } });
  expect(one.metrics[0].value).toBeGreaterThan(0.9);
  expect(one.training).toMatchObject({ trainRows: 48, valRows: 24, parameters: 10 });
  const losses = one.training!.epochs.map(({ validation }) => validation.val_loss!);
  expect(losses.at(-1)).toBeLessThan(losses[0]);
  expect(one.training!.best).toBe(losses.indexOf(Math.min(...losses)));
  const two = await evaluate({ ...options, recipe: { epochs: 8, learningRate: 0.1 } });
  expect(two.predictions).toEqual(one.predictions);
});

test("training and inference use the requested threads", async () => {
  const create = vi.spyOn(InferenceSession, "create");
  const plan = await planRun({
    tasks: [{ task: classifiedTask({ rows: 16 }), inputs: {} }],
    models: [counting],
    settings: ["ab-initio"],
    recipe: { epochs: 1 },
    threads: 1,
    folder: temporaryFolder(),
  });
  await runShard(plan);
  const threads = create.mock.calls.map((call) => (call as unknown[]).at(1));
  expect(threads.length).toBeGreaterThanOrEqual(2);
  for (const options of threads) expect(options).toMatchObject({ intraOpNumThreads: 1 });
  create.mockRestore();
});

test("the recipe sets early stopping and the number of rows", async () => {
  const { training } = await evaluate({
    task: classifiedTask(),
    inputs: {},
    model: counting,
    setting: "ab-initio",
    // Steps this large make it worse than before at once.
    recipe: { epochs: 40, learningRate: 30, patience: 2, trainRows: 10, valRows: 5 },
  });
  expect(training).toMatchObject({ trainRows: 10, valRows: 5 });
  expect(training!.epochs.length).toBe(training!.best + 3);
});

test("planning checks training and validation rows, and estimates memory", async () => {
  const planned = (rows: number, recipe: Record<string, number> = {}) =>
    planRun({
      tasks: [{ task: classifiedTask({ rows }), inputs: {} }],
      models: [NETWORKS[0]],
      settings: ["ab-initio"],
      split: "all",
      recipe,
    });
  await expect(planned(1)).rejects.toThrow("no row on the chromosomes of the val split");
  const memory = async (batchSize: number, rows: number) => {
    const plan = await planned(rows, { batchSize });
    await plan.close();
    return plan.cells[0].estimate.memory!;
  };
  expect(await memory(1000, 96)).toBeGreaterThan(await memory(8, 96));
  expect(await memory(1000, 96)).toBe(await memory(48, 96));
});

test("the benchmark's network sees unknown bases as zeros", async () => {
  const task = classifiedTask({ rows: 16 });
  const folder = temporaryFolder();
  const [network] = NETWORKS;
  const run = async (own: Task, place: string) => {
    const plan = await planRun({
      tasks: [{ task: own, inputs: {} }],
      models: [network],
      settings: ["ab-initio"],
      recipe: { epochs: 1 },
      folder: place,
    });
    await runShard(plan);
    return readFile(join(place, plan.cells[0].name, "rows", "001-of-001.jsonl"), "utf8");
  };
  const known = await run(task, join(folder, "known"));
  const hidden = await run(withoutFirstBase(task), join(folder, "hidden"));
  expect(known.split("\n")).toHaveLength(hidden.split("\n").length);
  expect(known).not.toBe(hidden);
});

/** The same rows, but the first position of every member is no base; the bases stay. */
function withoutFirstBase(task: Task): Task {
  const hide = (example: Example): Example => ({
    ...example,
    codes: example.sequences.map((bases) =>
      Uint8Array.from(bases, (letter, i) => (i === 0 ? 4 : "ACGT".indexOf(letter))),
    ),
  });
  return {
    ...task,
    async open(inputs, options) {
      const opened = await task.open(inputs, options);
      return { ...opened, examples: async (rows) => (await opened.examples(rows)).map(hide) };
    },
  };
}

test("models without a network, and sequences too short for it, are refused with the reason", () => {
  const task = classifiedTask();
  expect(abInitio.unsupportedReason(task, embeddingModel(), "corrected")).toContain("no `network`");
  expect(abInitio.unsupportedReason(task, NETWORKS[1], "corrected")).toBe(
    "it needs sequences of at least 275 bases, and the task's have 24",
  );
  expect(abInitio.unsupportedReason(task, NETWORKS[0], "corrected")).toBeUndefined();
});

test("a run evaluates models in the settings they support and reports the others", async () => {
  const request = {
    tasks: [{ task: classifiedTask(), inputs: {} }],
    models: [embeddingModel(), counting],
    settings: ["probed", "ab-initio"],
    timing: false,
  };
  const plan = await planRun({ ...request, recipe: { epochs: 2, kernel: 5 } });
  expect(plan.cells.map(({ model, setting }) => [model.name, setting.name])).toEqual([
    ["embedding-model", "probed"],
    ["counting", "ab-initio"],
  ]);
  expect(plan.cells.map(({ record }) => [record.cell.recipe.epochs, record.cell.recipe.kernel])).toEqual([
    [2, 5],
    [2, undefined],
  ]);
  expect(plan.notes.filter((note) => note.includes(": left out"))).toHaveLength(2);
  await expect(planRun({ ...request, recipe: { depth: 2 } })).rejects.toThrow(/has no "depth"/);
  await expect(planRun({ ...request, models: [counting] })).rejects.toThrow(
    /cannot be evaluated on classified × probed/,
  );
});
