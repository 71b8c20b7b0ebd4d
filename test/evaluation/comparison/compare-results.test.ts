import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { sha256Hex } from "../../../src/base/digest.ts";
import { compareResults } from "../../../src/evaluation/comparison/compare-results.ts";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { readResults, type StoredResult } from "../../../src/evaluation/runs/stored-results.ts";
import { proportionStatistic } from "../../../src/evaluation/tasks/intervals.ts";
import { ofKind } from "../../../src/evaluation/tasks/prediction.ts";
import type { Task } from "../../../src/evaluation/tasks/task.ts";
import { compareOver } from "../../../src/metrics/block-estimate.ts";
import { blocksBy } from "../../../src/metrics/blocks.ts";
import { holm } from "../../../src/metrics/false-discovery.ts";
import { meanOver } from "../../../src/metrics/mean.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { fakeModel, fakeTask } from "../fake-task.ts";

let root: string;
beforeEach(() => {
  root = temporaryFolder();
});

const keyOf = (row: number) => row % 25;

/** The fake task, ranked by the share of sequences that score higher than their reverse, in 25 blocks. */
const task: Task = {
  ...fakeTask({ rows: 300 }),
  measure(given, context) {
    const { metrics, ...rest } = fakeTask().measure(given, context);
    return { ...rest, metrics: [{ ...metrics[0], value: metrics[0].value! / given.length }] };
  },
  mainStatistic(given) {
    const predictions = ofKind("likelihood", given);
    const outcomes = Float64Array.from(predictions, ({ values }) => (values[0] > values[1] ? 1 : 0));
    return proportionStatistic(
      "wins",
      outcomes,
      blocksBy(
        predictions.map(({ row }) => keyOf(row)),
        "background",
      ),
    );
  },
};

/** A model that prefers a sequence to its reverse with this probability, by a digest of both. */
const modelOf = (name: string, probability: number) =>
  fakeModel({
    name,
    identity: name,
    logLikelihood: async (sequences) =>
      Float64Array.from(sequences, (bases) => {
        const reverse = [...bases].reverse().join("");
        const first = bases < reverse;
        const pair = first ? bases + reverse : reverse + bases;
        const right = Number.parseInt(sha256Hex(`${name} ${pair}`).slice(0, 8), 16) / 2 ** 32 < probability;
        return first === right ? -1 : -2;
      }),
  });

async function runOf(
  name: string,
  models: readonly ReturnType<typeof fakeModel>[],
  limit?: number,
): Promise<readonly StoredResult[]> {
  const folder = join(root, name);
  const plan = await planRun({
    tasks: [{ task, inputs: {}, ...(limit === undefined ? {} : { limit }) }],
    models: [...models],
    folder,
    timing: false,
  });
  await runShard(plan);
  await mergeRun(folder, { tasks: [task] });
  return readResults(folder);
}

/** Whether each row of scores.tsv has a higher first score. */
async function outcomesIn(folder: string): Promise<Float64Array> {
  const lines = (await readFile(join(folder, "scores.tsv"), "utf8")).trim().split("\n").slice(1);
  const scores = lines.map((line) => line.split("\t").map(Number));
  return Float64Array.from(scores, ([, first, second]) => (first > second ? 1 : 0));
}

test("compares the models of several runs", async () => {
  const results = [
    ...(await runOf("one", [modelOf("a", 0.9), modelOf("b", 0.5)])),
    ...(await runOf("two", [modelOf("c", 0.88), modelOf("b", 0.5)])),
  ];
  const found = await compareResults(results, { tasks: [task] });
  expect(found.groups).toHaveLength(1);
  const [group] = found.groups;
  expect(group.rows).toMatchObject({ compared: 300, blocks: 25 });
  expect(group.models.map(({ name }) => name).sort()).toEqual(["a", "b", "c"]);
  expect(group.pairs).toHaveLength(3);
  const outcomes = await Promise.all(group.models.map(({ folder }) => outcomesIn(folder)));
  const blocks = blocksBy(
    Array.from({ length: 300 }, (_, row) => keyOf(row)),
    "background",
  );
  const expected = [
    [0, 1],
    [0, 2],
    [1, 2],
  ].map(([i, j]) => compareOver(blocks, meanOver(outcomes[i], blocks), meanOver(outcomes[j], blocks)));
  expect(group.pairs.map(({ difference }) => difference)).toEqual(
    expected.map(({ difference }) => difference),
  );
  expect(group.pairs.map(({ pHolm }) => pHolm)).toEqual([...holm(group.pairs.map(({ p }) => p!))]);
  expect(group.models.map(({ tier }) => tier)).toEqual([1, 1, 2]);
  expect(group.models.reduce((sum, { best }) => sum + best!, 0)).toBeCloseTo(1, 12);
  expect(JSON.parse(JSON.stringify(found))).toEqual(found);
});

test("compares models on different rows on those that they share", async () => {
  const results = [
    ...(await runOf("one", [modelOf("a", 0.9)])),
    ...(await runOf("two", [modelOf("b", 0.5)], 120)),
  ];
  const forms = { tasks: [task] };
  const apart = await compareResults(results, forms);
  expect(apart.groups.map(({ pairs }) => pairs)).toEqual([[], []]);
  const [group] = (await compareResults(results, { ...forms, sharedRows: true })).groups;
  expect(group.rows).toMatchObject({ compared: 120, shared: true });
  expect(group.pairs).toHaveLength(1);
  expect(group.differing).toContainEqual({ field: "rows", values: { a: "300", b: "120" } });
  const digests = results.map(({ result }) => result.cell.model.identity);
  expect(group.differing).toContainEqual({
    field: "checkpoint.digest",
    values: { a: digests[0], b: digests[1] },
  });
});
