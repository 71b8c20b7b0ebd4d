import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type EvaluateOptions, evaluate } from "../../../src/evaluation/evaluate.ts";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import type { ProgressEvent } from "../../../src/evaluation/runs/progress.ts";
import type { RunRequest } from "../../../src/evaluation/runs/request.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { readResults } from "../../../src/evaluation/runs/stored-results.ts";
import { ofKind } from "../../../src/evaluation/tasks/prediction.ts";
import { openCheckpoint } from "../../../src/net/arrays/checkpoint.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { classifiedTask, embeddingModel } from "../classified-task.ts";
import { onlyTraining } from "../only-training.ts";

const task = classifiedTask();

const evaluated = (options: Partial<EvaluateOptions> = {}) =>
  evaluate({ task, inputs: {}, model: embeddingModel(), setting: "probed", ...options });

async function runIn(folder: string, more: Partial<RunRequest> = {}, events: ProgressEvent[] = []) {
  const plan = await planRun({
    tasks: [{ task, inputs: {} }],
    models: [embeddingModel()],
    settings: ["probed"],
    folder,
    ...more,
  });
  await runShard(plan, { onProgress: (event) => events.push(event) });
  return join(folder, plan.cells[0].name);
}

const logitsOf = (predictions: Parameters<typeof ofKind>[1]) =>
  ofKind("logits", predictions).flatMap(({ logits }) => logits.flat());

describe("a head trained on embeddings", () => {
  test("separates the classes, and stores log, head and curves", async () => {
    const folder = temporaryFolder();
    const events: ProgressEvent[] = [];
    const cell = await runIn(folder, {}, events);
    const [result] = await mergeRun(folder, { tasks: [task] });
    expect(result.metrics[0].value).toBeGreaterThan(0.9);
    expect(result.training).toMatchObject({ trainRows: 48, valRows: 24 });
    expect(result.training!.epochs.map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
    const [stored] = await readResults(folder);
    expect(stored.result.training).toEqual(result.training);

    const training = await onlyTraining(folder);
    const log = (await readFile(join(training, "train.log"), "utf8")).trimEnd().split("\n");
    expect(log[0]).toBe("epoch\tval_loss\tval_acc");
    expect(log.slice(1).map((line) => Number(line.split("\t")[1]))).toEqual(
      result.training!.epochs.map(({ validation }) => validation.val_loss),
    );
    expect(JSON.parse(await readFile(join(cell, "eval_test.json"), "utf8"))).toEqual(result.published);

    await using head = await openCheckpoint(join(training, "best.safetensors"));
    const parameters = [...head.arrays.values()].reduce(
      (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
      0,
    );
    expect(parameters).toBe(result.training!.parameters);

    const stages = events.flatMap((event) => (event.kind === "stage" ? [event.stage] : []));
    expect([...new Set(stages)]).toEqual([
      "embedding the training rows",
      "embedding the validation rows",
      ...[1, 2, 3].flatMap((epoch) => [`training, epoch ${epoch} of 3`, `validating epoch ${epoch}`]),
    ]);
  });

  test("gives the same bytes twice, and in memory the same answers", async () => {
    const [one, two] = [temporaryFolder(), temporaryFolder()];
    const cells = [await runIn(one), await runIn(two)];
    const folders = [await onlyTraining(one), await onlyTraining(two)];
    const files: readonly (readonly [place: readonly string[], name: string])[] = [
      [folders, "best.safetensors"],
      [folders, "train.log"],
      [cells, "rows/001-of-001.jsonl"],
    ];
    for (const [places, name] of files) {
      const [a, b] = await Promise.all(places.map((place) => readFile(join(place, name))));
      expect(a.equals(b), name).toBe(true);
    }
    await mergeRun(one, { tasks: [task] });
    const { predictions, training, published } = await evaluated();
    const [stored] = await readResults(one);
    expect(published).toEqual(stored.result.published);
    expect(training).toEqual(stored.result.training);
    expect(predictions).toHaveLength(24);
  });

  test("is trained once for all shards", async () => {
    const [whole, split] = [temporaryFolder(), temporaryFolder()];
    await runIn(whole);
    const events: ProgressEvent[][] = [];
    for (let index = 1; index <= 3; index++) {
      const seen: ProgressEvent[] = [];
      await runIn(split, { shard: { index, count: 3 } }, seen);
      events.push(seen);
    }
    const trained = events.map((seen) => seen.some((event) => event.kind === "stage"));
    expect(trained).toEqual([true, false, false]);
    const [a] = await mergeRun(whole, { tasks: [task] });
    const [b] = await mergeRun(split, { tasks: [task] });
    expect(b.training).toEqual(a.training);
    expect(b.published.test_loss).toBeCloseTo(a.published.test_loss!, 5);
  });

  test("resumes after a kill without embedding sequences again", async () => {
    const folder = temporaryFolder();
    const killed = embeddingModel({ failAt: 9 });
    await expect(runIn(folder, { models: [killed] })).rejects.toThrow("killed");
    const second = embeddingModel();
    const cell = await runIn(folder, { models: [second] });
    const uninterrupted = embeddingModel();
    const other = await runIn(temporaryFolder(), { models: [uninterrupted] });
    // Each process embeds one sequence to know the width; whole chunks of the first are not embedded again.
    expect(second.calls.length).toBeLessThan(uninterrupted.calls.length);
    const [a, b] = await Promise.all(
      [cell, other].map((place) => readFile(join(place, "rows", "001-of-001.jsonl"), "utf8")),
    );
    expect(a).toBe(b);
  });

  test("resumes with the next epoch after a stop", async () => {
    const folder = temporaryFolder();
    const stop = new AbortController();
    const plan = await planRun({
      tasks: [{ task, inputs: {} }],
      models: [embeddingModel()],
      settings: ["probed"],
      folder,
    });
    const [outcome] = await runShard(plan, {
      signal: stop.signal,
      onProgress(event) {
        if (event.kind === "stage" && event.stage === "validating epoch 2") stop.abort();
      },
    });
    expect(outcome).toMatchObject({ state: "stopped", rowsDone: 0 });
    const training = await onlyTraining(folder);
    expect(await readdir(training)).not.toContain("training.json");
    await runIn(folder);
    const uninterrupted = temporaryFolder();
    await runIn(uninterrupted);
    const [a, b] = await Promise.all(
      [training, await onlyTraining(uninterrupted)].map((place) => readFile(join(place, "best.safetensors"))),
    );
    expect(a.equals(b)).toBe(true);
  });

  test("reuses embeddings of another run with any recipe", async () => {
    const embeddings = temporaryFolder();
    await evaluated({ embeddings });
    const model = embeddingModel();
    await evaluated({ embeddings, model, recipe: { epochs: 1, learningRate: 0.01 } });
    expect(model.calls).toHaveLength(1);
    const other = embeddingModel({ identity: "embedding 2" });
    await evaluated({ embeddings, model: other, recipe: { epochs: 1 } });
    expect(other.calls.length).toBeGreaterThan(1);
  });

  test("with tokens of several bases the head sees every base, or only the ends by the recipe", async () => {
    const gathered = await evaluated({ model: embeddingModel({ perToken: 3 }) });
    expect(gathered.metrics[0].value).toBeGreaterThan(0.9);
    const ends = await evaluated({ recipe: { positions: "ends", kernel: 3 } });
    const rows = ofKind("logits", ends.predictions);
    const same = new Map<string, number[]>();
    const opened = await task.open({}, { seed: 0 });
    const examples = await opened.examples(
      opened.select({ split: "test", purpose: "evaluate", limit: null }).rows.slice(),
    );
    // The end token's state is the same for all sequences: predictions depend on the first base only.
    for (const [i, { logits }] of rows.entries()) {
      for (const [member, values] of logits.entries()) {
        const first = examples[i].sequences[member][0];
        const known = same.get(first) ?? [...values];
        same.set(first, known);
        for (const [k, value] of values.entries()) expect(value).toBeCloseTo(known[k], 5);
      }
    }
    expect(same.size).toBeGreaterThan(1);
    await expect(
      evaluated({ model: embeddingModel({ perToken: 3 }), recipe: { positions: "ends", kernel: 3 } }),
    ).rejects.toThrow(/one token for each of 24 bases/);
  });

  test("seeds matter, and the protocols order rows differently", async () => {
    const [one, two] = await Promise.all([evaluated(), evaluated({ recipe: { trainingSeed: 1 } })]);
    expect(logitsOf(one.predictions)).not.toEqual(logitsOf(two.predictions));
    expect(one.identity).not.toBe(two.identity);
    const inOrder = await evaluated({ recipe: { order: "file" } });
    expect(logitsOf(inOrder.predictions)).not.toEqual(logitsOf(one.predictions));
  });
});

test("stores embeddings as float16 and reports the change", async () => {
  const notes: string[] = [];
  const model = embeddingModel({ perToken: 3 });
  const thirds = {
    ...model,
    async embed(...asked: Parameters<NonNullable<typeof model.embed>>) {
      const given = await model.embed!(...asked);
      return given.map((each) => ({ ...each, states: each.states.map((state) => state / 3) }));
    },
  };
  const onProgress = (event: ProgressEvent) => {
    if (event.kind === "note") notes.push(event.text);
  };
  const half = await evaluated({ model: thirds, recipe: { storedAs: "float16" }, onProgress });
  const full = await evaluated({ model: thirds });
  const [a, b] = [logitsOf(half.predictions), logitsOf(full.predictions)];
  expect(a).not.toEqual(b);
  a.forEach((logit, i) => {
    expect(Math.abs(logit - b[i])).toBeLessThan(0.2);
  });
  // 1/3 lies 8.1e-5 from the nearest float16, 2/3 twice as far; the largest state is 1.
  expect(notes).toEqual([
    "stored as float16, states changed by at most 0.00016, which is 0.00016 of the largest",
  ]);
});

describe("errors of a probed run", () => {
  test.each([
    [{ epochs: 0 }, /epochs of the recipe is 0/],
    [{ order: "sorted" }, /order of the recipe is "sorted"/],
    [{ learningRate: -1 }, /learningRate of the recipe is -1/],
    [{ epochs: "many" }, /epochs of the recipe is "many"; expected a number/],
    [{ epoch: 3 }, /has no "epoch"\n.*epochs/],
    [{ positions: "ends" }, /kernel of the recipe is 8,.* 2 positions.*\n.* 4$/],
    [{ kernel: 16 }, /kernel of the recipe is 16,.* 24 positions.*\n.* 15$/],
    [
      { learningRate: 1e37, batchSize: 64 },
      /after epoch 1 the network predicts .* for the validation row \d+\n.*learning rate/,
    ],
  ])("%j", async (recipe, message) => {
    const error = (await evaluated({ recipe: recipe as never }).catch((thrown) => thrown)) as {
      describe(): string;
    };
    expect(error.describe()).toMatch(message);
  });

  test("a damaged chunk, with its file", async () => {
    const embeddings = temporaryFolder();
    await evaluated({ embeddings, recipe: { epochs: 1 } });
    const files = (await readdir(embeddings, { recursive: true })).filter((name) =>
      name.endsWith(".safetensors"),
    );
    for (const name of files) {
      const bytes = await readFile(join(embeddings, name));
      bytes[bytes.length - 2500] = bytes[bytes.length - 2500] ^ 64;
      await writeFile(join(embeddings, name), bytes);
    }
    await expect(evaluated({ embeddings })).rejects.toThrow(/does not match its digest/);
    await rm(embeddings, { recursive: true });
  });

  test("a model whose embeddings are not finite, or too few", async () => {
    const bad = embeddingModel();
    const wrong = {
      ...bad,
      embed: (some: readonly string[]) =>
        (bad.embed!(some, { protocol: "corrected" }) as never[]).slice(0, 3),
    };
    await expect(evaluated({ model: wrong })).rejects.toThrow(/returned 3 embeddings for 16 sequences/);
    const infinite = {
      ...bad,
      embed(some: readonly string[]) {
        const given = bad.embed!(some, { protocol: "corrected" }) as readonly { states: Float32Array }[];
        for (const { states } of given) states[5] = Number.POSITIVE_INFINITY;
        return given as never;
      },
    };
    await expect(evaluated({ model: infinite })).rejects.toThrow(/Infinity as state 1 of token 1/);
  });
});
