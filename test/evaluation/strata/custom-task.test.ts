import { expect, test } from "vitest";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { stratifyRun } from "../../../src/evaluation/strata/stratify.ts";
import { proportionStatistic } from "../../../src/evaluation/tasks/intervals.ts";
import { ofKind } from "../../../src/evaluation/tasks/prediction.ts";
import type { Task } from "../../../src/evaluation/tasks/task.ts";
import { singleRows } from "../../../src/metrics/blocks.ts";
import { scratchFiles } from "../../scratch-files.ts";
import { fakeModel, fakeTask } from "../fake-task.ts";

const scratch = scratchFiles();

async function merged(folder: string, task: Task): Promise<string> {
  const path = scratch.path(folder);
  const plan = await planRun({
    tasks: [{ task, inputs: {} }],
    models: [fakeModel()],
    folder: path,
    timing: false,
  });
  await runShard(plan);
  await plan.close();
  await mergeRun(path, { tasks: [task] });
  return path;
}

test("a custom task names its own strata", async () => {
  const task: Task = {
    ...fakeTask(),
    stratifications: [{ name: "arm", title: "arm", valueOf: ({ chrom }) => `${chrom}p` }],
    mainStatistic(predictions) {
      const wins = ofKind("likelihood", predictions).map(({ values: [first, second] }) =>
        Number(first > second),
      );
      return proportionStatistic("wins", Float64Array.from(wins), singleRows(wins.length));
    },
  };
  const { cells, notes } = await stratifyRun(await merged("own", task), { tasks: [task] });
  const { whole, stratifications } = cells[0].strata;
  expect(notes).toEqual([]);
  expect(stratifications.map(({ title, strata }) => [title, strata])).toEqual([
    ["arm", [{ name: "chr5p", ...whole }]],
  ]);
  expect(whole.rows).toBe(100);
});

test("a task without a main metric over blocks is left out with a note", async () => {
  const task: Task = { ...fakeTask(), stratifications: [{ name: "arm", title: "arm", valueOf: () => "p" }] };
  const { cells, notes } = await stratifyRun(await merged("none", task), { tasks: [task] });
  expect(cells).toEqual([]);
  expect(notes).toEqual([expect.stringMatching(/left out: its main metric is not defined over blocks/)]);
});
