import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { sha256Hex } from "../../../src/base/digest.ts";
import { planText } from "../../../src/cli/plan-text.ts";
import { compareResults } from "../../../src/evaluation/comparison/compare-results.ts";
import { evaluate } from "../../../src/evaluation/evaluate.ts";
import { readCellPredictions } from "../../../src/evaluation/runs/collect-shards.ts";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { runStatus } from "../../../src/evaluation/runs/run-status.ts";
import { readResults } from "../../../src/evaluation/runs/stored-results.ts";
import { verifyCell } from "../../../src/evaluation/runs/verify-cell.ts";
import { proportionStatistic } from "../../../src/evaluation/tasks/intervals.ts";
import { ofKind } from "../../../src/evaluation/tasks/prediction.ts";
import { pickRows } from "../../../src/evaluation/tasks/table-rows.ts";
import type { Task } from "../../../src/evaluation/tasks/task.ts";
import { compareOver } from "../../../src/metrics/block-estimate.ts";
import { singleRows } from "../../../src/metrics/blocks.ts";
import { clusteredProportion } from "../../../src/metrics/clustered-proportion.ts";
import { mean, meanOver } from "../../../src/metrics/mean.ts";
import type { Model } from "../../../src/models/model.ts";
import { provenanceFacts } from "../../../src/report/provenance.ts";
import { statusText } from "../../../src/report/status-text.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { type FakeModel, fakeModel, fakeTask } from "../fake-task.ts";

let root: string;
beforeEach(() => {
  root = temporaryFolder();
});

const ROWS = 1200;
const SAMPLED = 1024;

/** The fake task, ranked by the share of sequences that score higher than their reverse. */
function rankedTask(rows = ROWS): Task {
  const plain = fakeTask({ rows });
  const task: Task = {
    ...plain,
    open: async (inputs, options) => ({ ...(await plain.open(inputs, options)), task }),
    mainStatistic(given) {
      const outcomes = ofKind("likelihood", given).map(({ values }) => (values[0] > values[1] ? 1 : 0));
      return proportionStatistic("wins", outcomes, singleRows(outcomes.length));
    },
  };
  return task;
}
const task = rankedTask();

const hashOf = (text: string) => Number.parseInt(sha256Hex(text).slice(0, 12), 16) / 2 ** 48;

/** Scores that are random numbers of the sequences, with an error of a share of their range. */
const scored = (error: number) => async (sequences: readonly string[]) =>
  Float64Array.from(sequences, (bases) => hashOf(bases) + error * (hashOf(`${bases} error`) - 0.5));

/** A model in int8 whose errors are this share of the range of its scores, and its twin in float32. */
function int8Model(error: number) {
  const opened: FakeModel[] = [];
  const closed: Model[] = [];
  const model = fakeModel({
    identity: "digest int8",
    batchSize: 100,
    precision: "int8",
    logLikelihood: scored(error),
    embed: () => [],
    async inFloat32() {
      const exact = fakeModel({ identity: "digest", batchSize: 100, logLikelihood: scored(0) });
      opened.push(exact);
      return { ...exact, close: () => void closed.push(exact) };
    },
  });
  return { model, opened, closed };
}

const planOf = (folder: string, model: Model, more = {}) =>
  planRun({ tasks: [{ task, inputs: {} }], models: [model], folder, timing: false, ...more });

const outcomesOf = (lines: readonly string[]) =>
  lines.map((line) => {
    const [, first, second] = line.split("\t").map(Number);
    return first > second ? 1 : 0;
  });

describe("a cell in int8", () => {
  test("is checked against float32 on a sample, once for all shards, and records the check", async () => {
    const folder = join(root, "run");
    const { model, opened, closed } = int8Model(0.02);
    const notes: string[] = [];
    for (const index of [1, 2]) {
      const plan = await planOf(folder, model, { shard: { index, count: 2 } });
      expect(planText(plan)).toContain("check   int8 against f32 on 1,024 rows");
      expect(planText(plan)).toContain("fake × fake-model × zero-shot in int8");
      await runShard(plan, { onProgress: (event) => event.kind === "note" && notes.push(event.text) });
    }
    expect([opened.length, closed.length]).toEqual([1, 1]);
    await mergeRun(folder, { tasks: [task] });
    const [{ folder: place, result }] = await readResults(folder);
    expect(result.cell.precision).toBe("int8");

    // The check again, from the scores in both files.
    const linesOf = async (file: string) =>
      (await readFile(join(place, file), "utf8")).trim().split("\n").slice(1);
    const all = await linesOf("scores.tsv");
    const exact = await linesOf("scores-f32.tsv");
    const rows = exact.map((line) => Number(line.split("\t")[0]));
    expect(rows).toEqual([
      ...pickRows(
        Uint32Array.from({ length: ROWS }, (_, i) => i),
        SAMPLED,
      ),
    ]);
    const [before, after] = [outcomesOf(exact), outcomesOf(rows.map((row) => all[row]))];
    expect(before).not.toEqual(after);
    const blocks = singleRows(SAMPLED);
    const { difference } = compareOver(blocks, meanOver(after, blocks), meanOver(before, blocks));
    const own = clusteredProportion(before, blocks);
    expect(result.precisionCheck).toEqual({
      precision: "int8",
      rows: SAMPLED,
      metric: "wins",
      float32: { value: own.value, low: own.low, high: own.high },
      reduced: mean(after),
      difference: { value: difference.value, low: difference.low, high: difference.high },
      margin: 0.5 * ((own.high - own.low) / 2),
    });
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/^int8 changes wins from 0\.\d{4} to 0\.\d{4} on a sample of 1024 rows: by /);
    expect(result.notes).toContain(`${notes[0]}.`);
    expect(statusText([await runStatus(folder)])).toContain("fake × fake-model × zero-shot in int8");
    const read = await readCellPredictions({ folder: place, result, timing: [] });
    if ("why" in read) throw new Error(read.why);
    const seal = { place, result, sha256: "", changed: undefined, predictions: async () => read.predictions };
    expect((await verifyCell(seal, { tasks: [task] })).mismatches).toEqual([]);
  });

  test("differs from the cell in float32 in identity; comparisons name the precision", async () => {
    const [first, second] = [join(root, "f32"), join(root, "int8")];
    const { model } = int8Model(0.02);
    const limit = { limit: 64 };
    await runShard(await planOf(first, fakeModel({ logLikelihood: scored(0) }), limit));
    await runShard(await planOf(second, model, limit));
    await expect(planOf(second, fakeModel({ identity: "digest int8" }), limit)).rejects.toThrow(
      'precision is "int8" there, absent here',
    );
    for (const folder of [first, second]) await mergeRun(folder, { tasks: [task] });
    const results = [...(await readResults(first)), ...(await readResults(second))];
    expect(results[0].result.identity).not.toBe(results[1].result.identity);
    expect(Object.keys(results[0].result)).not.toContain("precisionCheck");
    expect(Object.keys(results[0].result.cell)).not.toContain("precision");
    expect(await readdir(results[0].folder)).not.toContain("scores-f32.tsv");
    const { groups } = await compareResults(results, { tasks: [task] });
    const differing = groups[0].differing.find(({ field }) => field === "precision");
    expect(Object.values(differing!.values).sort()).toEqual(["f32", "int8"]);
  });

  test("that changes the metric ends with an error before it is scored", async () => {
    const folder = join(root, "run");
    const { model, closed } = int8Model(0.5);
    await expect(runShard(await planOf(folder, model, { limit: 256 }))).rejects.toThrow(
      /fake × fake-model × zero-shot in int8 differs from f32: int8 changes wins .*, not within ±0\.\d{4}$/,
    );
    expect(closed).toHaveLength(1);
    const [cell] = (await runStatus(folder)).cells;
    expect([cell.rowsDone, cell.shards[0].phase]).toEqual([0, "failed"]);
    expect(cell.shards[0].message).toContain("use --precision f32");
  });

  test("needs 32 rows", async () => {
    const small = rankedTask(31);
    const plan = await planRun({
      tasks: [{ task: small, inputs: {} }],
      models: [int8Model(0).model],
      timing: false,
      folder: join(root, "run"),
    });
    await expect(runShard(plan)).rejects.toThrow("cannot be measured: 31 rows are too few");
  });

  test("without a changed outcome passes with a difference of 0, also in memory", async () => {
    const { model } = int8Model(0);
    const { precisionCheck } = await evaluate({ task, inputs: {}, model, limit: 40 });
    expect(precisionCheck).toMatchObject({ rows: 40, difference: { value: 0, low: 0, high: 0 } });
  });

  test("stops on request during the check", async () => {
    const abort = new AbortController();
    const plan = await planOf(join(root, "run"), int8Model(0).model);
    const running = runShard(plan, {
      signal: abort.signal,
      onProgress: (event) => event.kind === "stage" && abort.abort(new Error("stopped")),
    });
    await expect(running).rejects.toThrow("stopped");
    const [cell] = (await runStatus(join(root, "run"))).cells;
    expect([cell.rowsDone, cell.shards.map(({ phase }) => phase)]).toEqual([0, []]);
  });
});

describe("int8 is refused", () => {
  const refusal = (task: Task, setting: string) =>
    planRun({
      tasks: [{ task, inputs: {} }],
      models: [int8Model(0).model],
      timing: false,
      settings: [setting],
    });

  test("for settings that train", async () => {
    const trained: Task = {
      ...task,
      settings: { ...task.settings, probed: { recipe: {}, defaultSplit: "test" } },
    };
    await expect(refusal(trained, "probed")).rejects.toThrow("trained networks run in f32, not in int8");
  });

  test("without a metric that a sample has", async () => {
    await expect(refusal(fakeTask(), "zero-shot")).rejects.toThrow("because its metric needs all of them");
  });

  test("by merging without the record of the check", async () => {
    const folder = join(root, "run");
    const plan = await planOf(folder, int8Model(0).model, { limit: 40 });
    await runShard(plan);
    await rm(join(folder, plan.cells[0].name, "precision.json"));
    await expect(mergeRun(folder, { tasks: [task] })).rejects.toThrow("against f32 is missing");
  });
});

test("the report's provenance has the check", async () => {
  const folder = join(root, "run");
  await runShard(await planOf(folder, int8Model(0).model, { limit: 40 }));
  await mergeRun(folder, { tasks: [task] });
  const [stored] = await readResults(folder);
  const entry = { stored, result: stored.result, label: "fake-model", protocol: "corrected" };
  const facts = new Map(provenanceFacts(entry as unknown as Parameters<typeof provenanceFacts>[0]));
  expect(facts.get("precision")).toMatch(/^int8 changes wins .* on a sample of 40 rows/);
});
