import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { evaluate } from "../../../src/evaluation/evaluate.ts";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { openScoreTable } from "../../../src/models/external/score-table.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { fakeModel, fakeTask } from "../fake-task.ts";

const task = fakeTask({ rows: 60, chromosomes: ["chr5", "chr1"] });

/** The table of scores of a run, and the metrics of its result. */
async function scored() {
  const folder = join(temporaryFolder(), "run");
  const tasks = [{ task, inputs: {} }];
  const plan = await planRun({ tasks, models: [fakeModel()], folder, timing: false, batchSize: 8 });
  await runShard(plan);
  const [result] = await mergeRun(folder, { tasks: [task] });
  const [cell] = readdirSync(folder).filter((name) => /^[0-9a-f]{8}$/.test(name));
  return { result, scores: join(folder, cell, "scores.tsv") };
}

test("scores of a run, given as a table, give the same metrics", async () => {
  const { result, scores } = await scored();
  const again = await evaluate({ task, inputs: {}, model: await openScoreTable(scores) });
  expect(again.metrics).toEqual(result.metrics);
  expect(again.published).toEqual(result.published);
  expect(again.counts).toEqual(result.counts);
  expect(again.predictions).toHaveLength(30);
  expect(again.cell.model).toEqual({
    name: "scores",
    identity: expect.stringMatching(/^scores [0-9a-f]{64}$/),
  });
});

test("every shard finds its rows in one table", async () => {
  const { result, scores } = await scored();
  const folder = join(temporaryFolder(), "again");
  for (const index of [1, 2, 3]) {
    const models = [await openScoreTable(scores)];
    await runShard(
      await planRun({ tasks: [{ task, inputs: {} }], models, folder, shard: { index, count: 3 } }),
    );
  }
  const [merged] = await mergeRun(folder, { tasks: [task] });
  expect(merged.metrics).toEqual(result.metrics);
});

test("refuses a table that lacks a row while planning, in any shard", async () => {
  const { scores } = await scored();
  const lines = readFileSync(scores, "utf8").trimEnd().split("\n");
  const cut = join(temporaryFolder(), "cut.tsv");
  writeFileSync(cut, lines.filter((line) => !line.startsWith("8\t")).join("\n"));
  const model = await openScoreTable(cut);
  const planned = planRun({ tasks: [{ task, inputs: {} }], models: [model], shard: { index: 2, count: 3 } });
  await expect(planned).rejects.toThrow("rows missing, 1 of 30: 8");
  await expect(planned).rejects.toBeInstanceOf(InputError);
});
