import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { sha256Hex } from "../../../src/base/digest.ts";
import { planText } from "../../../src/cli/plan-text.ts";
import { compareResults } from "../../../src/evaluation/comparison/compare-results.ts";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { readResults } from "../../../src/evaluation/runs/stored-results.ts";
import { partsBetweenLooks } from "../../../src/evaluation/runs/until-width.ts";
import { proportionStatistic } from "../../../src/evaluation/tasks/intervals.ts";
import { ofKind } from "../../../src/evaluation/tasks/prediction.ts";
import { pickRows } from "../../../src/evaluation/tasks/table-rows.ts";
import type { Task } from "../../../src/evaluation/tasks/task.ts";
import { blocksBy } from "../../../src/metrics/blocks.ts";
import { clusteredProportion } from "../../../src/metrics/clustered-proportion.ts";
import { anyTimeLevel } from "../../../src/metrics/confidence-sequence.ts";
import type { Model } from "../../../src/models/model.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { fakeModel, fakeTask } from "../fake-task.ts";

let root: string;
beforeEach(() => {
  root = temporaryFolder();
});

const ROWS = 3000;
const blocksOfRows = (rows: readonly number[]) =>
  blocksBy(
    rows.map((row) => row % 60),
    "background",
  );

/** The fake task, ranked by the share of sequences that score higher than their reverse. */
const plain = fakeTask({ rows: ROWS });
const task: Task = {
  ...plain,
  open: async (inputs, options) => ({ ...(await plain.open(inputs, options)), task }),
  measure(given, context) {
    const { metrics, ...rest } = fakeTask().measure(given, context);
    return { ...rest, metrics: [{ ...metrics[0], value: metrics[0].value! / given.length }] };
  },
  mainStatistic(given) {
    const predictions = ofKind("likelihood", given);
    const outcomes = Float64Array.from(predictions, ({ values }) => (values[0] > values[1] ? 1 : 0));
    return proportionStatistic("wins", outcomes, blocksOfRows(predictions.map(({ row }) => row)));
  },
};

const model = () =>
  fakeModel({
    identity: "digest",
    batchSize: 120,
    logLikelihood: async (sequences) =>
      Float64Array.from(sequences, (bases) => -Number.parseInt(sha256Hex(bases).slice(0, 12), 16) / 2 ** 48),
  });

const planOf = (folder: string, untilWidth: number, more = {}) =>
  planRun({ tasks: [{ task, inputs: {} }], models: [model()], folder, untilWidth, timing: false, ...more });

test("the rows scored before each measurement are those of a limit of that size", () => {
  const rows = Uint32Array.from({ length: ROWS }, (_, i) => 2 * i);
  const done: number[] = [];
  const sizes = [...partsBetweenLooks(rows)].map((part) => {
    done.push(...part);
    expect(done.toSorted((a, b) => a - b)).toEqual([...pickRows(rows, done.length)]);
    return part.length;
  });
  expect(sizes.slice(0, 3)).toEqual([256, 256, 256]);
  expect(sizes.at(-2)).toBeGreaterThan(400);
  expect(done).toHaveLength(ROWS);
});

describe("a run until its interval is narrow", () => {
  test("ends early with an interval that is valid at any look, resumes bit-identically, and merges", async () => {
    const folder = join(root, "run");
    await runShard(await planOf(folder, 0.06));
    await mergeRun(folder, { tasks: [task] });
    const [{ result, folder: place }] = await readResults(folder);
    const { selected, planned } = result.rows;
    expect(planned).toBe(ROWS);
    expect(selected).toBeLessThan(ROWS);
    const scores = (await readFile(join(place, "scores.tsv"), "utf8")).trim().split("\n").slice(1);
    const lines = scores.map((line) => line.split("\t").map(Number));
    const rows = lines.map(([row]) => row);
    expect(rows).toEqual([
      ...pickRows(
        Uint32Array.from({ length: ROWS }, (_, i) => i),
        selected,
      ),
    ]);
    const outcomes = lines.map(([, first, second]) => (first > second ? 1 : 0));
    const [interval] = result.metrics[0].intervals;
    const expected = clusteredProportion(outcomes, blocksOfRows(rows), anyTimeLevel(selected));
    expect(interval).toEqual({ ...expected, method: "background-wilson-sequence" });
    expect((interval.high - interval.low) / 2).toBeLessThanOrEqual(0.06);
    expect(result.notes.join(" ")).toMatch(/until the interval of wins was no wider than ±0\.06/);

    // Stopped after each batch, and begun again.
    const other = join(root, "resumed");
    for (let state = "stopped"; state === "stopped"; ) {
      const abort = new AbortController();
      let batches = 0;
      const [outcome] = await runShard(await planOf(other, 0.06), {
        signal: abort.signal,
        onProgress: (event) => {
          if (event.kind === "batch" && ++batches === 5) abort.abort();
        },
      });
      state = outcome.state;
    }
    await mergeRun(other, { tasks: [task] });
    const [again] = await readResults(other);
    expect(again.result).toEqual(result);
    // A finished cell is not scored again, and its plan has nothing left to do.
    const plan = await planOf(folder, 0.06);
    expect(plan.cells[0]).toMatchObject({ rowsDone: selected, rowsToDo: 0, estimate: { seconds: 0 } });
    expect(planText(plan)).toContain(`rows    3,000 · ${selected.toLocaleString("en")} done · 0 to do`);
    const [outcome] = await runShard(await planOf(folder, 0.06));
    expect(outcome).toMatchObject({ state: "done", rowsDone: selected, rowsDoneBefore: selected });
    const { groups } = await compareResults([again], { tasks: [task] });
    expect(groups[0].rows.compared).toBe(selected);
  });

  test("takes an added model, which ends at its own interval", async () => {
    const named = (name: string) => ({ ...model(), name, identity: name });
    const [grown, both] = [join(root, "grown"), join(root, "both")];
    const run = async (folder: string, models: readonly Model[], extend = false) => {
      await runShard(await planOf(folder, 0.06, { models, extend }));
      await mergeRun(folder, { tasks: [task], keepResults: extend });
      return (await readResults(folder)).map(({ result }) => result);
    };
    const [first] = await run(grown, [named("first")]);
    const added = { ...named("second"), batchSize: 50 };
    const results = await run(grown, [added], true);
    expect(results[0]).toEqual(first);
    expect(results.map(({ rows }) => rows.selected)).toEqual([first.rows.selected, first.rows.selected]);
    expect(results).toEqual(await run(both, [named("first"), added]));
    await expect(planOf(grown, 0.05, { models: [named("third")], extend: true })).rejects.toThrow(
      /width of the interval 0\.06 in the run, 0\.05 here/,
    );
  });

  test("scores all rows if the interval stays wide", async () => {
    const folder = join(root, "wide");
    await runShard(await planOf(folder, 0.001));
    await mergeRun(folder, { tasks: [task] });
    const [{ result }] = await readResults(folder);
    expect(result.rows).toMatchObject({ selected: ROWS });
    expect(result.rows).not.toHaveProperty("planned");
    expect(result.metrics[0].intervals[0].method).toBe("background-wilson-sequence");
  });

  test("is refused with shards, in memory, without a metric over blocks, or with another width", async () => {
    await expect(planOf(root, 0.05, { shard: { index: 1, count: 2 } })).rejects.toThrow(
      /until-width needs a run of a single shard/,
    );
    await expect(planOf(root, 0.05, { folder: undefined })).rejects.toThrow(/until-width needs a run folder/);
    await expect(planOf(root, 2)).rejects.toThrow(/width of the interval/);
    await expect(planOf(root, 0.05, { tasks: [{ task: fakeTask(), inputs: {} }] })).rejects.toThrow(
      /until-width is not possible for fake × zero-shot/,
    );
  });
});
