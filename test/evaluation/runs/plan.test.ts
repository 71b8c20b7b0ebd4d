import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { anonymousMemory } from "../../../src/base/process.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import { PROCESS_BYTES } from "../../../src/evaluation/runs/plan-cell.ts";
import type { RunRequest } from "../../../src/evaluation/runs/request.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { shardOfRow } from "../../../src/evaluation/runs/shard.ts";
import type { Model } from "../../../src/models/model.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { fakeModel, fakeTask } from "../fake-task.ts";

let root: string;
beforeEach(() => {
  root = temporaryFolder();
});

const task = fakeTask();
const request = (more: Partial<RunRequest> = {}): RunRequest => ({
  tasks: [{ task, inputs: {} }],
  models: [fakeModel()],
  folder: join(root, "run"),
  timing: false,
  ...more,
});
const plan = (more: Partial<RunRequest> = {}) => planRun(request(more));
const refusal = async (more: Partial<RunRequest>): Promise<string> => {
  const error = await plan(more).catch((error) => error);
  expect(error).toBeInstanceOf(InputError);
  return error.describe();
};

describe("a plan", () => {
  test("writes nothing", async () => {
    await plan();
    await expect(readFile(join(root, "run", "plan.json"))).rejects.toThrow("ENOENT");
  });

  test("evaluates the first setting of a task by default", async () => {
    const [zeroShot] = (await plan()).cells;
    expect(zeroShot.record.cell.setting).toBe("zero-shot");
    const settings = { predicted: { recipe: {}, defaultSplit: "test" }, ...task.settings } as const;
    const model = { name: "activity", predictActivity: () => [] };
    const other = await plan({ tasks: [{ task: { ...task, settings }, inputs: {} }], models: [model] });
    expect(other.cells.map(({ record }) => record.cell.setting)).toEqual(["predicted"]);
    const empty = { tasks: [{ task: { ...task, settings: {} }, inputs: {} }] };
    await expect(plan(empty)).rejects.toThrow(`the task ${task.name} has no settings`);
  });

  test("times a few rows and reports how many", async () => {
    const model = fakeModel({ milliseconds: 2 });
    const { cells } = await plan({ timing: true, models: [model] });
    expect(cells[0].estimate.basis).toMatch(/^timed on \d+ rows$/);
    expect(cells[0].estimate.seconds).toBeGreaterThan(0.01);
    expect(cells[0].estimate.seconds).toBeLessThan(10);
    expect(model.calls.length).toBeGreaterThan(1);
  });

  test("reduces the batch size to fit in memory, with a note", async () => {
    const model = fakeModel({ batchSize: 64, memory: (batch, tokens) => batch * tokens * 1000 });
    const { cells, notes } = await plan({ models: [model], memory: 500_000 });
    expect(cells[0].batchSize).toBe(16);
    expect(cells[0].estimate.memory).toBeLessThanOrEqual(PROCESS_BYTES + 500_000);
    expect(notes.join()).toContain("scores 16 sequences per call instead of 64");
  });

  test("leaves memory for the other models of the run", async () => {
    const memory = (weights: number) => (batch: number) => weights + batch * 1000;
    const large = fakeModel({ name: "large", batchSize: 64, memory: memory(400_000) });
    const small = fakeModel({ name: "small", batchSize: 64, memory: memory(60_000) });
    const batches = async (models: Model[]) =>
      (await plan({ models, memory: 500_000 })).cells.map(({ batchSize }) => batchSize);
    expect(await batches([large])).toEqual([64]);
    expect(await batches([small])).toEqual([64]);
    expect(await batches([large, small])).toEqual([32, 32]);
    expect(await refusal({ models: [large, small], memory: 461_500 })).toMatch(
      /"large" needs .*\n.*other models of this run take 0\.0 GiB: run each model separately/,
    );
  });

  test("counts weights of models planned before only once", async () => {
    const weights = Buffer.alloc(300e6);
    const model = fakeModel({
      memory: () => 300e6,
      async logLikelihood(sequences) {
        // The weights are loaded at the first call, and stay in memory.
        if (weights[0] === 0) weights.fill(1);
        return Float64Array.from(sequences, () => -1);
      },
    });
    const available = vi.spyOn(process, "availableMemory");
    onTestFinished(() => available.mockRestore());
    // Otherwise the garbage of earlier tests would be collected during the measurement.
    setFlagsFromString("--expose-gc");
    runInNewContext("gc")();
    const before = await anonymousMemory();
    available.mockImplementation(() => 350e6);
    const first = await plan({ models: [model], timing: true });
    const taken = (await anonymousMemory()) - before;
    expect(taken).toBeGreaterThan(200e6);
    available.mockImplementation(() => 350e6 - taken);
    const second = await plan({ models: [model], timing: true, protocol: "paper" });
    expect(second.cells[0].batchSize).toBe(first.cells[0].batchSize);
  });

  test("notes a model without an identity", async () => {
    const { identity: _, ...model } = fakeModel();
    expect((await plan({ models: [model] })).notes.join()).toContain("has no identity");
  });

  test("assigns each row to one shard by its number", async () => {
    const plans = await Promise.all([1, 2, 3].map((index) => plan({ shard: { index, count: 3 } })));
    const rows = plans.map(({ cells }) => [...cells[0].rows]);
    expect(rows.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(rows.map((some) => [...new Set(some.map((row) => shardOfRow(row, 3)))])).toEqual([[1], [2], [3]]);
    // These values must never change: shards of several machines or versions are merged.
    expect([0, 1, 2, 3, 2_348_853].map((row) => shardOfRow(row, 16))).toMatchInlineSnapshot(`
      [
        14,
        9,
        16,
        2,
        6,
      ]
    `);
  });
});

describe("the identity", () => {
  const identity = async (more: Partial<RunRequest> = {}) => (await plan(more)).identity;

  test("does not depend on batches, shards, memory or place", async () => {
    const base = await identity();
    expect(await identity({ batchSize: 3 })).toBe(base);
    expect(await identity({ shard: { index: 2, count: 5 } })).toBe(base);
    expect(await identity({ folder: join(root, "elsewhere") })).toBe(base);
    expect(await identity({ models: [fakeModel({ batchSize: 77 })] })).toBe(base);
  });

  test.each<[string, Partial<RunRequest>]>([
    ["protocol", { protocol: "paper" }],
    ["seed", { seed: 1 }],
    ["split", { split: "all" }],
    ["limit", { limit: 50 }],
    ["model", { models: [fakeModel({ identity: "fake 2" })] }],
    ["model's name", { models: [fakeModel({ name: "other" })] }],
    ["task's version", { tasks: [{ task: fakeTask({ version: 2 }), inputs: {} }] }],
    ["data", { tasks: [{ task, inputs: { table: "other" } }] }],
  ])("changes with the %s", async (_, more) => {
    expect(await identity(more)).not.toBe(await identity());
  });
});

describe("errors before the run starts", () => {
  test.each<[string, Partial<RunRequest>, RegExp]>([
    [
      "an unknown task",
      { tasks: [{ task: "elements", inputs: {} }] },
      /no task "elements"\n.*regulatory-elements/,
    ],
    ["an unknown setting", { settings: ["zero"] }, /no setting "zero"\n.*zero-shot/],
    ["no model", { models: [] }, /no model given/],
    [
      "a model without a name",
      { models: [{ name: "" }] },
      /a model has no name\n.*logLikelihood\(sequences\)/,
    ],
    [
      "a model that cannot answer",
      { models: [{ name: "m", embed: () => [] }] },
      /"m" cannot be evaluated on fake × zero-shot: it has no log-likelihoods/,
    ],
    [
      "a question that is no function",
      { models: [{ name: "m", logLikelihood: 3 as never }] },
      /logLikelihood of the model "m" is not a function/,
    ],
    ["a shard beyond the last", { shard: { index: 4, count: 3 } }, /no shard 4 of 3\n.*expected 1 <= i/],
    ["half a row", { limit: 0.5 }, /the limit is 0\.5; expected a whole number/],
    ["a protocol", { protocol: "fair" as never }, /the protocol is "fair"; expected paper or corrected/],
    ["a batch of nothing", { batchSize: 0 }, /the batch size is 0/],
    [
      "the same model twice",
      { models: [fakeModel(), fakeModel()] },
      /fake × fake-model × zero-shot occurs twice/,
    ],
    [
      "memory for not one row",
      { models: [fakeModel({ memory: () => 3 * 2 ** 30 })], memory: 2 ** 30 },
      /needs 3\.0 GiB for one sequence of \d+ tokens, and 1\.0 GiB are available/,
    ],
    [
      "a batch that does not fit",
      { models: [fakeModel({ memory: (batch) => batch * 2 ** 30 })], memory: 5 * 2 ** 30, batchSize: 8 },
      /8 sequences per call .* need 8\.0 GiB, and 5\.0 GiB are available\n.*4 fit/,
    ],
  ])("%s", async (_, more, message) => {
    expect(await refusal(more)).toMatch(message);
  });

  test("a selection without rows, with the rows per chromosome", async () => {
    const elsewhere = fakeTask({ rows: 7, chromosomes: ["5", "chr1"] });
    expect(await refusal({ tasks: [{ task: elsewhere, inputs: {} }] })).toMatch(
      /no row of fake is on the chromosomes of the test split; the 7 rows of the table are on 5 4, chr1 3\n.*"5" is not "chr5"/,
    );
  });

  test.each<[string, string[], "test" | "all", string[]]>([
    [
      "a chromosome of no split",
      ["chr5", "chr5x"],
      "test",
      ['50 of the 100 rows of fake are on chromosomes outside of all splits and left out: "chr5x" 50'],
    ],
    ["other splits only", ["chr5", "chr6", "chr1"], "test", []],
    ["all rows asked", ["chr5", "chr5x"], "all", []],
    [
      "many",
      ["chr5", ..."abcdefg"],
      "test",
      [
        '87 of the 100 rows of fake are on chromosomes outside of all splits and left out: "a" 13, "b" 13, "c" 13, "d" 12, "e" 12, and 2 more',
      ],
    ],
  ])("%s: the plan notes rows outside of all splits", async (_, chromosomes, split, notes) => {
    const asked = { task: fakeTask({ chromosomes }), inputs: {} };
    const { notes: found } = await plan({ tasks: [asked], split, settings: ["zero-shot"] });
    expect(found.filter((note) => note.includes("outside of all splits"))).toEqual(notes);
  });

  test("reports all errors together", async () => {
    const message = await refusal({
      tasks: [
        { task, inputs: {} },
        { task: fakeTask({ rows: 0 }), inputs: {} },
      ],
      models: [{ name: "a", embed: () => [] }, fakeModel()],
    });
    expect(message).toContain("errors in the request:");
    expect(message).toContain('"a" cannot be evaluated on fake × zero-shot');
    expect(message).toContain("the table of fake has no rows");
  });

  test("a folder with another run, with the differences", async () => {
    await runShard(await plan());
    const message = await refusal({ seed: 7, protocol: "paper" });
    expect(message).toContain('protocol is "corrected" there, "paper" here; seed is 0 there, 7 here');
    expect(message).toContain(join(root, "run"));
    expect(await refusal({ models: [fakeModel(), fakeModel({ identity: "2" })] })).toMatch(
      /another run: fake × fake-model × zero-shot \([0-9a-f]{8}\) there, fake/,
    );
  });

  test("a folder with other files, and a file", async () => {
    await mkdir(join(root, "full"));
    await writeFile(join(root, "full", "thesis.tex"), "");
    expect(await refusal({ folder: join(root, "full") })).toMatch(
      /has other files and no run \(it has thesis\.tex\)/,
    );
    expect(await refusal({ folder: join(root, "full", "thesis.tex") })).toContain(
      "this is a file; expected a folder",
    );
  });

  test("another number of shards than the folder's", async () => {
    await runShard(await plan({ shard: { index: 1, count: 4 } }));
    expect(await refusal({})).toMatch(/has 4 shards; 1 were requested\n.*--shard i\/4/);
  });

  test("an invalid plan.json", async () => {
    await mkdir(join(root, "run"));
    await writeFile(join(root, "run", "plan.json"), "{}");
    expect(await refusal({})).toMatch(/plan\.json: format/);
    await writeFile(join(root, "run", "plan.json"), "{");
    expect(await refusal({})).toMatch(/plan\.json: not valid JSON/);
    const deep = 10_000;
    await writeFile(join(root, "run", "plan.json"), "[".repeat(deep) + "]".repeat(deep));
    expect(await refusal({})).toMatch(/plan\.json: the file is nested more than 64 deep/);
  });

  test("an edited plan.json", async () => {
    await runShard(await plan({}));
    const file = join(root, "run", "plan.json");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace('"seed": 0', '"seed": 1'));
    expect(await refusal({})).toMatch(
      /plan\.json: the fields of cell [0-9a-f]{8} do not have its identity: it was edited, .*\n.*restore the file/,
    );
    await writeFile(file, text.replace(/"selected": (\d+)/, '"selected": 1'));
    expect(await refusal({})).toMatch(
      /plan\.json: cell [0-9a-f]{8} has 1 rows with digest [0-9a-f]{8}; expected \d+ with /,
    );
  });
});
