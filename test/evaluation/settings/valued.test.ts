import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { evaluate } from "../../../src/evaluation/evaluate.ts";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import type { ProgressEvent } from "../../../src/evaluation/runs/progress.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { readResults } from "../../../src/evaluation/runs/stored-results.ts";
import { ofKind } from "../../../src/evaluation/tasks/prediction.ts";
import type { Supervision, Task } from "../../../src/evaluation/tasks/task.ts";
import { initCheckpoint } from "../../../src/models/checkpoints/init.ts";
import { languageModelCard } from "../../../src/models/language/catalogue.ts";
import { LanguageModel } from "../../../src/models/language-model.ts";
import type { Model } from "../../../src/models/model.ts";
import { reduceMean } from "../../../src/net/graph/build.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { baseCountModel, embeddingModel } from "../classified-task.ts";
import { onlyTraining } from "../only-training.ts";
import { comparedTask, valuedTask } from "../valued-task.ts";

/** Numbers from the shares of the bases. */
const counting = baseCountModel("counting", (x) => reduceMean(x, [1]));

async function runIn(
  folder: string,
  tasks: readonly Task[],
  model: Model,
  settings: readonly string[],
  shared?: string,
) {
  const events: ProgressEvent[] = [];
  const plan = await planRun({
    tasks: tasks.map((task) => ({ task, inputs: {} })),
    models: [model],
    settings,
    recipe: { epochs: 2 },
    folder,
    ...(shared === undefined ? {} : { trained: shared }),
  });
  try {
    await runShard(plan, { onProgress: (event) => events.push(event) });
  } finally {
    await plan.close();
  }
  const trained = plan.cells
    .filter(({ name }) => events.some((event) => event.kind === "stage" && event.cell === name))
    .map(({ record }) => `${record.cell.task} ${record.cell.setting}`);
  return { plan, trained };
}

test("regression from sequences and from embeddings", async () => {
  const task = valuedTask();
  for (const [setting, model, learningRate] of [
    ["ab-initio", counting, 0.1],
    ["probed", embeddingModel(), 0.01],
  ] as const) {
    const { training, predictions, metrics } = await evaluate({
      task,
      inputs: {},
      model,
      setting,
      recipe: { epochs: 20, learningRate },
    });
    const [first] = training!.epochs;
    expect(metrics[0].value, setting).toBeLessThan(0.5 * first.validation.val_loss!);
    // One output, which is the prediction itself.
    expect(ofKind("activity", predictions).every(({ values }) => values.length === 1)).toBe(true);
  }
});

test("a language model is trained further on a number", async () => {
  const card = languageModelCard("dnabert2");
  const folder = temporaryFolder();
  await initCheckpoint(card, { preset: "toy", seed: 0, folder });
  const model = await LanguageModel.open(folder, [card], { device: "cpu" });
  try {
    const { training } = await evaluate({
      task: valuedTask({ rows: 32 }),
      inputs: {},
      model,
      setting: "fine-tuned",
      recipe: { epochs: 6, learningRate: 0.01 },
    });
    const losses = training!.epochs.map(({ validation }) => validation.val_loss!);
    expect(Math.min(...losses.slice(1))).toBeLessThan(losses[0]);
  } finally {
    await model.close();
  }
});

test("a task chooses the rows of an epoch; they decide what is trained, and its log stays as long", async () => {
  const seen: number[][] = [];
  const rowsOfEpoch: NonNullable<Supervision["rowsOfEpoch"]> = (rows, epoch, recipe) => {
    expect(recipe).toMatchObject({ learningRate: 0.05 });
    const places = rows.flatMap(({ row }, place) => (row % 8 === 4 * epoch ? [place] : []));
    seen.push(places.map((place) => rows[place].row));
    return Int32Array.from(places);
  };
  const options = { inputs: {}, model: counting, setting: "ab-initio", recipe: { epochs: 2 } } as const;
  const chosen = await evaluate({ ...options, task: valuedTask({ rowsOfEpoch }) });
  expect(seen[0]).toEqual([0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88]);
  expect(seen[1]).toEqual([4, 12, 20, 28, 36, 44, 52, 60, 68, 76, 84, 92]);
  const all = await evaluate({ ...options, task: valuedTask() });
  expect(chosen.training!.epochs).toHaveLength(2);
  expect(chosen.training!.trainRows).toBe(all.training!.trainRows);
  expect(chosen.predictions).not.toEqual(all.predictions);
});

test("the record keeps undefined columns of the log as null", async () => {
  const folder = temporaryFolder();
  const task = valuedTask({ alsoValidated: { val_r: Number.NaN } });
  await runIn(folder, [task], counting, ["ab-initio"]);
  const again = await runIn(folder, [task], counting, ["ab-initio"]);
  expect(again.trained).toEqual([]);
  const [result] = await mergeRun(folder, { tasks: [task] });
  const { epochs } = result.training!;
  expect(epochs.map(({ validation }) => validation.val_r)).toEqual([null, null]);
  const [read] = await readResults(folder);
  expect(read.result.training!.epochs).toEqual(epochs);
  const log = await readFile(join(await onlyTraining(folder), "train.log"), "utf8");
  expect(log.split("\n")[1]).toMatch(/^0\t[\d.]+\tNaN$/);
});

test("a task and the task that trains it share training runs", async () => {
  const training = valuedTask();
  const compared = comparedTask(training);
  const model = embeddingModel();
  for (const tasks of [
    [training, compared],
    [compared, training],
  ]) {
    const folder = temporaryFolder();
    const { trained, plan } = await runIn(folder, tasks, model, ["probed"]);
    expect(trained).toEqual([`${tasks[0].name} probed`]);
    const results = await mergeRun(folder, { tasks });
    expect(results[1].training).toEqual(results[0].training);
    expect(results[0].training!.identity.slice(0, 8)).toBe((await onlyTraining(folder)).slice(-8));
    const [first, second] = await readResults(folder);
    expect(second.result.training).toEqual(first.result.training);
    const cells = plan.cells.map(({ record }) => record.identity);
    expect(new Set(cells).size).toBe(2);
  }
});

test("trained weights need no inputs of a custom training task", async () => {
  const trained = temporaryFolder();
  const compared = comparedTask(valuedTask());
  const given = { inputs: {}, model: embeddingModel(), setting: "probed" } as const;
  const { predictions } = await evaluate({ ...given, task: compared, recipe: { epochs: 1 }, trained });
  const untrained: Task = {
    ...compared,
    async open(inputs, options) {
      const { training: _, ...open } = await compared.open(inputs, options);
      return { ...open, task: untrained };
    },
  };
  const [folder] = await readdir(trained);
  const weights = join(trained, folder, "best.safetensors");
  expect((await evaluate({ ...given, task: untrained, weights })).predictions).toEqual(predictions);
});

test("does not reuse training runs of another recipe, seed or data", async () => {
  const folder = temporaryFolder();
  const { trained } = await runIn(
    folder,
    [valuedTask({ rows: 96 }), { ...comparedTask(valuedTask({ rows: 80 })) }],
    counting,
    ["ab-initio"],
  );
  expect(trained).toEqual(["valued ab-initio", "compared ab-initio"]);
});

test("a network trained on single sequences predicts both sequences of a row", async () => {
  const { predictions } = await evaluate({
    task: comparedTask(valuedTask()),
    inputs: {},
    model: counting,
    setting: "ab-initio",
    split: "all",
    recipe: { epochs: 8, learningRate: 0.1 },
  });
  const answers = ofKind("activity", predictions);
  expect(answers).toHaveLength(10);
  expect(answers.every(({ values }) => values.length === 2 && values[0] !== values[1])).toBe(true);
});

test("runs share training runs; a cell's folder has the record", async () => {
  const trained = temporaryFolder();
  const [one, two] = [temporaryFolder(), temporaryFolder()];
  const first = await runIn(one, [valuedTask()], counting, ["ab-initio"], trained);
  const second = await runIn(two, [comparedTask(valuedTask())], counting, ["ab-initio"], trained);
  expect([first.trained, second.trained]).toEqual([["valued ab-initio"], []]);
  const tasks = [valuedTask(), comparedTask(valuedTask())];
  const [activities] = await mergeRun(one, { tasks });
  const [compared] = await mergeRun(two, { tasks });
  expect(compared.training).toEqual(activities.training);
  expect(await readdir(trained)).toHaveLength(1);
});

test("a cell's folder names its training run", async () => {
  const folder = temporaryFolder();
  const { plan } = await runIn(folder, [valuedTask()], counting, ["ab-initio"]);
  const link = JSON.parse(await readFile(join(folder, plan.cells[0].name, "trained.json"), "utf8"));
  expect(link).toMatchObject({ identity: expect.stringMatching(/^[0-9a-f]{64}$/), best: expect.any(Number) });
  expect((await onlyTraining(folder)).endsWith(link.identity.slice(0, 8))).toBe(true);
});
