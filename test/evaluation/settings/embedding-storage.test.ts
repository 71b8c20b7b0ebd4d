import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { planText } from "../../../src/cli/plan-text.ts";
import { evaluate } from "../../../src/evaluation/evaluate.ts";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import type { ProgressEvent } from "../../../src/evaluation/runs/progress.ts";
import type { RunRequest } from "../../../src/evaluation/runs/request.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { decidePrecision } from "../../../src/evaluation/settings/half-precision.ts";
import { headFeeds } from "../../../src/evaluation/settings/probe-predictions.ts";
import { readTrainingRecipe } from "../../../src/evaluation/settings/training-recipe.ts";
import type { Recipe } from "../../../src/evaluation/tasks/recipe.ts";
import type { SequenceEmbedding } from "../../../src/models/model.ts";
import { probingHead, probingInputs, probingLogits } from "../../../src/models/training/probing-head.ts";
import { FreshLayers, initialValues } from "../../../src/net/nn/init.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { classifiedTask, type EmbeddingModel, embeddingModel, WINDOW } from "../classified-task.ts";
import { settingContext } from "../fake-task.ts";
import { onlyTraining } from "../only-training.ts";

const disk = vi.hoisted(() => ({ free: Number.POSITIVE_INFINITY }));

vi.mock(import("../../../src/base/folder.ts"), async (original) => ({
  ...(await original()),
  freeSpace: async () => disk.free,
}));

afterEach(() => {
  disk.free = Number.POSITIVE_INFINITY;
});

/** 64 training, 32 validation and 32 test rows. */
const task = classifiedTask({ rows: 128 });

const AUTO: Recipe = { storedAs: "auto" };

/** Every state of the test's model, changed. */
function withStates(change: (state: number) => number, model = embeddingModel()): EmbeddingModel {
  return {
    ...model,
    async embed(...given: Parameters<NonNullable<EmbeddingModel["embed"]>>) {
      const embeddings = await model.embed!(...given);
      return embeddings.map((each) => ({ ...each, states: each.states.map(change) }));
    },
  };
}

const thirds = (model?: EmbeddingModel) => withStates((state) => state / 3, model);

/** A model that declares the width of its states. */
const sized = (): EmbeddingModel => ({ ...embeddingModel(), width: 4 });

const planOf = (folder: string, more: Partial<RunRequest> = {}) =>
  planRun({
    tasks: [{ task, inputs: {} }],
    models: [thirds()],
    settings: ["probed"],
    recipe: AUTO,
    folder,
    ...more,
  });

describe("storedAs auto", () => {
  test("stores float16 where loss and metric of a sample stay the same, and records both", async () => {
    const notes: string[] = [];
    const onProgress = (event: ProgressEvent) => {
      if (event.kind === "note") notes.push(event.text);
    };
    const chosen = await evaluate({
      task,
      inputs: {},
      model: thirds(),
      setting: "probed",
      recipe: AUTO,
      onProgress,
    });
    const { storedAs, because, check } = chosen.training!.embeddings!;
    expect([storedAs, check!.trainRows, check!.valRows]).toEqual(["float16", 64, 32]);
    const { loss } = check!;
    expect(loss.float16).not.toBe(loss.float32);
    expect(Math.abs(loss.float16 - loss.float32)).toBeLessThan(loss.halfWidth / 10);
    expect(notes[0]).toBe(`embeddings are stored as float16: ${because}`);
    expect(because).toMatch(
      /^on a sample of 64 training and 32 validation rows, float16 changes loss from 0\.\d+ to/,
    );

    const given = { task, inputs: {}, model: thirds(), setting: "probed" } as const;
    const half = await evaluate({ ...given, recipe: { storedAs: "float16" } });
    const full = await evaluate({ ...given, recipe: { storedAs: "float32" } });
    const logits = ({ predictions }: typeof full) =>
      predictions.map((each) => "logits" in each && each.logits);
    expect(logits(chosen)).toEqual(logits(half));
    expect(logits(chosen)).not.toEqual(logits(full));
    expect(chosen.metrics[0].value).toBe(full.metrics[0].value);
  });

  test("keeps float32 where float16 loses what separates the classes", async () => {
    // At 64 the steps of float16 are 1/16: nothing is left of a 64th per base.
    const fine = withStates((state) => 64 + state / 64);
    const { training } = await evaluate({ task, inputs: {}, model: fine, setting: "probed", recipe: AUTO });
    expect(training!.embeddings!.storedAs).toBe("float32");
    expect(training!.embeddings!.because).toMatch(
      /^float16 rounds dimension \d of a state by 0\.0\d+, and its/,
    );
  });

  test("keeps float32 where the loss changes by more than a tenth of its interval", async () => {
    const opened = await task.open({}, { seed: 0 });
    const sample = async (split: "train" | "val") => {
      const { rows } = opened.select({
        split,
        purpose: split === "train" ? "train" : "validate",
        limit: null,
      });
      const examples = await opened.examples(rows.slice());
      return {
        examples: examples.map(({ row, facts }) => ({ row, facts, labels: [1, 0] })),
        embeddings: await thirds().embed!(
          examples.flatMap(({ sequences }) => sequences),
          { protocol: "corrected" },
        ),
      };
    };
    const basesOf = { kind: "slice", length: WINDOW } as const;
    const layers = new FreshLayers();
    const head = probingHead(layers, { width: 4, kernel: 8, outputs: 2 });
    const { tokens, index } = probingInputs(4, basesOf);
    const form = task.settings.probed;
    const context = settingContext({ task: opened, model: thirds(), recipe: form.recipe, batchSize: 16 });
    const question = {
      setting: "probed",
      recipe: readTrainingRecipe(form.recipe),
      supervision: form.supervision!,
      learner: {
        output: probingLogits(head, tokens, basesOf, index),
        initial: initialValues(layers.tensors, 0),
        frozen: new Map(),
      },
      feeds: (embeddings: readonly SequenceEmbedding[]) => headFeeds(embeddings, basesOf),
      train: await sample("train"),
      val: await sample("val"),
    };
    const few = await decidePrecision(context, { ...question, valRows: 32 });
    // The more rows validate, the narrower the interval of their loss.
    const many = await decidePrecision(context, { ...question, valRows: 1e12 });
    expect([few.storedAs, many.storedAs]).toEqual(["float16", "float32"]);
    expect(many.check!.loss.float16).toBe(few.check!.loss.float16);
    expect(few.check!.loss.halfWidth / many.check!.loss.halfWidth).toBeCloseTo(Math.sqrt(1e12 / 32), 3);
    await opened.close();
  });

  test("keeps float32 where a state exceeds the range of float16", async () => {
    const large = withStates((state) => state * 1e5);
    const { training } = await evaluate({ task, inputs: {}, model: large, setting: "probed", recipe: AUTO });
    expect(training!.embeddings).toEqual({
      storedAs: "float32",
      because: "a sampled state is 1.00e+5, and float16 ends at 65504",
    });
  });

  test("keeps float32 where there are too few rows to measure the effect", async () => {
    const few = classifiedTask({ rows: 96 });
    const { training } = await evaluate({
      task: few,
      inputs: {},
      model: thirds(),
      setting: "probed",
      recipe: AUTO,
    });
    expect(training!.embeddings).toEqual({
      storedAs: "float32",
      because: "24 sampled rows are too few to measure the effect of float16",
    });
  });

  test("is decided once for all shards, and embeds no row twice", async () => {
    const folder = temporaryFolder();
    const models = [thirds(), thirds(), thirds()];
    for (let index = 1; index <= 3; index++) {
      const plan = await planOf(folder, { models: [models[index - 1]], shard: { index, count: 3 } });
      await runShard(plan);
    }
    const [result] = await mergeRun(folder, { tasks: [task] });
    expect(result.training!.embeddings!.storedAs).toBe("float16");
    const trained = models[0].calls.slice(1).flat();
    expect(new Set(trained).size).toBe(trained.length);
    const whole = temporaryFolder();
    await runShard(await planOf(whole));
    const [undivided] = await mergeRun(whole, { tasks: [task] });
    expect(result.training).toEqual(undivided.training);
  });

  test("is not decided again after a stop, and ends with the same bytes", async () => {
    const folder = temporaryFolder();
    const stop = new AbortController();
    await runShard(await planOf(folder), {
      signal: stop.signal,
      onProgress(event) {
        if (event.kind === "stage" && event.stage === "validating epoch 2") stop.abort();
      },
    });
    const training = await onlyTraining(folder);
    const decision = join(training, "embeddings.json");
    const { mtimeMs } = statSync(decision);
    const notes: string[] = [];
    await runShard(await planOf(folder), {
      onProgress(event) {
        if (event.kind === "note") notes.push(event.text);
      },
    });
    expect(statSync(decision).mtimeMs).toBe(mtimeMs);
    expect(notes.filter((text) => text.includes("embeddings are stored"))).toEqual([]);
    const uninterrupted = temporaryFolder();
    await runShard(await planOf(uninterrupted));
    const best = (place: string) => readFileSync(join(place, "best.safetensors"));
    expect(best(training).equals(best(await onlyTraining(uninterrupted)))).toBe(true);
  });
});

describe("embeddings in memory, on disk and recomputed", () => {
  /** Interrupts a run in its second epoch if `stopped`, finishes it, and reads its files. */
  async function filesOf(
    embeddings: "memory" | "disk" | "recompute",
    model: () => EmbeddingModel,
    { stopped }: { readonly stopped: boolean },
  ) {
    const folder = temporaryFolder();
    const request = { embeddings, batchSize: 14, recipe: { ...AUTO, epochs: 2 } };
    const stop = new AbortController();
    if (stopped) {
      await runShard(await planOf(folder, { ...request, models: [model()] }), {
        signal: stop.signal,
        onProgress(event) {
          if (event.kind === "stage" && event.stage === "validating epoch 2") stop.abort();
        },
      });
    }
    const plan = await planOf(folder, { ...request, models: [model()] });
    await runShard(plan);
    await mergeRun(folder, { tasks: [task] });
    const cell = join(folder, plan.cells[0].name);
    const training = await onlyTraining(folder);
    const files = [
      join(training, "best.safetensors"),
      join(training, "train.log"),
      ...["rows/001-of-001.jsonl", "scores.tsv", "metrics.json", "result.json"].map((name) =>
        join(cell, name),
      ),
    ];
    const timing = JSON.parse(readFileSync(join(cell, "timing.json"), "utf8"));
    expect(timing[0].embeddings).toEqual({ storage: embeddings, because: "as requested" });
    expect(existsSync(join(folder, "embeddings"))).toBe(embeddings === "disk");
    return files.map((file) => readFileSync(file, "utf8"));
  }

  /** A model whose states depend on the number of sequences in a call, as by rounding in a matrix product. */
  const dependent = (): EmbeddingModel => {
    const model = thirds({ ...embeddingModel(), width: 4 });
    return {
      ...model,
      async embed(...given: Parameters<NonNullable<EmbeddingModel["embed"]>>) {
        const embeddings = await model.embed!(...given);
        const share = 1 + embeddings.length / 1024;
        return embeddings.map((each) => ({ ...each, states: each.states.map((state) => state * share) }));
      },
    };
  };

  test.each([
    ["independent of the call", () => thirds(sized()), ["disk", "recompute"]],
    ["dependent on the call", dependent, ["recompute"]],
  ] as const)("give the same bytes for states %s, also after a stop", async (_, model, storages) => {
    const expected = await filesOf("memory", model, { stopped: false });
    for (const storage of storages)
      expect(await filesOf(storage, model, { stopped: true })).toEqual(expected);
  });

  test("a model that changes its states cannot be recomputed", async () => {
    let calls = 0;
    const model = { ...sized() };
    const random: EmbeddingModel = {
      ...model,
      async embed(...given) {
        const embeddings = await model.embed!(...given);
        calls++;
        return embeddings.map((each) => ({ ...each, states: each.states.map((state) => state + calls) }));
      },
    };
    const plan = await planOf(temporaryFolder(), { models: [random], embeddings: "recompute" });
    await expect(runShard(plan)).rejects.toThrow(/gives other states for the same sequences \(row \d+/);
  });

  test("auto recomputes large embeddings of a fast model and stores those of a slow one, with the reason", async () => {
    const folder = temporaryFolder();
    const fast = { ...sized(), width: 1e5 };
    const plan = await planOf(folder, { models: [fast], memory: 1e14 });
    expect(plan.cells[0].embeddings!.place).toBe("recompute");
    expect(planText(plan)).toMatch(
      /, recomputed in each epoch: the model embeds a sequence in .* ms; a disk reads it in .* ms/,
    );
    const slow: EmbeddingModel = {
      ...fast,
      async embed(...given) {
        await setTimeout(500);
        return fast.embed!(...given);
      },
    };
    const stored = await planOf(folder, { models: [slow], memory: 1e14 });
    expect(stored.cells[0].embeddings!.place).toEqual({ folder: join(folder, "embeddings"), shared: false });
    const refused = planOf(folder, { models: [fast], memory: 5.5e9, embeddings: "memory" });
    await expect(refused).rejects.toThrow(/embeddings need .* GiB of memory/);
  });
});

test("trained weights are evaluated with embeddings of the precision that they were trained with", async () => {
  const trained = temporaryFolder();
  const given = { task, inputs: {}, model: thirds(), setting: "probed", recipe: AUTO } as const;
  const run = await evaluate({ ...given, trained });
  const [folder] = readdirSync(trained);
  const again = await evaluate({ ...given, weights: join(trained, folder, "best.safetensors") });
  expect(run.training!.embeddings!.storedAs).toBe("float16");
  expect(again.predictions).toEqual(run.predictions);
});

describe("embeddings of a plan", () => {
  test("stay in memory if they are few, with the same predictions as from disk", async () => {
    const [memory, onDisk] = [temporaryFolder(), temporaryFolder()];
    const plan = await planOf(memory, { models: [sized()] });
    expect(plan.cells[0].embeddings).toMatchObject({
      place: undefined,
      size: { sequences: 2 * (64 + 32), storedAs: "auto" },
    });
    expect(planText(plan)).toMatch(
      /embeddings up to 66\.6 KiB of 192 sequences \(float16, or .* KiB if .*\), in memory/,
    );
    await runShard(plan);
    expect(existsSync(join(memory, "embeddings"))).toBe(false);
    const shared = await planOf(onDisk, { models: [sized()], embeddings: join(onDisk, "shared") });
    expect(planText(shared)).toContain(`of 256 sequences (float16, or`);
    await runShard(shared);
    const rows = (folder: string, cell: string) =>
      readFileSync(join(folder, cell, "rows", "001-of-001.jsonl"));
    expect(rows(memory, plan.cells[0].name).equals(rows(onDisk, shared.cells[0].name))).toBe(true);
  });

  test("go to disk where they exceed a quarter of the memory, without those of evaluated rows", async () => {
    const folder = temporaryFolder();
    const wide = { ...sized(), width: 40_000 };
    const plan = await planOf(folder, { models: [wide], memory: 1e12, timing: false });
    const { place, size } = plan.cells[0].embeddings!;
    expect(place).toEqual({ folder: join(folder, "embeddings"), shared: false });
    expect(size!.bytes).toBe(192 * ((WINDOW + 1) * (2 * 40_000 + 3) + 80));
  });

  test("that do not fit on the disk are refused before the model is called", async () => {
    disk.free = 10_000;
    const folder = temporaryFolder();
    const model = sized();
    const refused = planOf(folder, { models: [model], embeddings: join(folder, "shared") });
    await expect(refused).rejects.toThrow(/embeddings need \d+ KiB of disk, and \d+ KiB are free/);
    expect(model.calls).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a run that does not fit on the disk is refused, with its scores and trained weights", async () => {
    const folder = temporaryFolder();
    const fits = await planOf(folder, { models: [sized()] });
    disk.free = fits.cells[0].estimate.disk - 1;
    await expect(planOf(folder, { models: [sized()] })).rejects.toThrow(
      /the run needs \d+ KiB of disk, and \d+ KiB are free/,
    );
    disk.free++;
    await planOf(folder, { models: [sized()] });
  });

  test("need room in the folder of the run in addition to its scores", async () => {
    const folder = temporaryFolder();
    const request = { models: [sized()], embeddings: "disk" } as const;
    const { estimate, embeddings } = (await planOf(folder, request)).cells[0];
    disk.free = estimate.disk + embeddings!.size!.bytes - 1;
    await expect(planOf(folder, request)).rejects.toThrow(/the run needs .* of disk/);
    disk.free++;
    await planOf(folder, request);
  });

  test("that are stored already need no room", async () => {
    const folder = temporaryFolder();
    const request = { models: [sized()], embeddings: join(folder, "shared") };
    const stop = new AbortController();
    await runShard(await planOf(folder, request), {
      signal: stop.signal,
      onProgress(event) {
        if (event.kind === "stage" && event.stage === "validating epoch 2") stop.abort();
      },
    });
    disk.free = 60_000;
    const plan = await planOf(folder, request);
    expect(plan.cells[0].embeddings!.size!.bytes).toBeGreaterThan(disk.free);
  });

  test("are refused after the measurement where only float32 is precise enough and does not fit", async () => {
    const folder = temporaryFolder();
    const model = { ...withStates((state) => state * 1e5), width: 4 };
    const plan = await planOf(folder, { models: [model], embeddings: join(folder, "shared") });
    disk.free = 65_000;
    await expect(runShard(plan)).rejects.toThrow(/embeddings need/);
    expect(existsSync(join(folder, "shared"))).toBe(false);
  });
});
