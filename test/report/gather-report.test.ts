import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mergeRun } from "../../src/evaluation/runs/merge.ts";
import { planRun } from "../../src/evaluation/runs/plan.ts";
import { runShard } from "../../src/evaluation/runs/run-shard.ts";
import { readResults } from "../../src/evaluation/runs/stored-results.ts";
import { proportionStatistic } from "../../src/evaluation/tasks/intervals.ts";
import type { RowView } from "../../src/evaluation/tasks/row-view.ts";
import type { Task } from "../../src/evaluation/tasks/task.ts";
import { singleRows } from "../../src/metrics/blocks.ts";
import { gatherReport } from "../../src/report/report.ts";
import { fakeModel, fakeTask } from "../evaluation/fake-task.ts";
import { temporaryFolder } from "../temporary-folder.ts";

test("a report reads the shards of each cell once, for its comparison and its figures", async () => {
  const view: RowView = {
    rows: Uint32Array.of(0),
    facts: [],
    score: { title: "score", values: Float64Array.of(0) },
    merit: { kind: "score" },
    figures: [],
  };
  const plain = fakeTask();
  let removed: readonly string[] = [];
  const task: Task = {
    ...plain,
    open: async (inputs, options) => ({ ...(await plain.open(inputs, options)), task }),
    viewRows: () => view,
    mainStatistic({ length }) {
      // The comparison begins when all cells are read: a second reading would find no rows.
      for (const rows of removed) rmSync(rows, { recursive: true, force: true });
      return proportionStatistic("wins", new Float64Array(length), singleRows(length));
    },
  };
  const folder = temporaryFolder();
  const models = ["first", "second"].map((name) => fakeModel({ name, identity: name }));
  await runShard(await planRun({ tasks: [{ task, inputs: {} }], models, folder, timing: false }));
  await mergeRun(folder, { tasks: [task] });
  const results = await readResults(folder);
  removed = results.map(({ folder }) => join(folder, "rows"));
  const report = await gatherReport(results, { tasks: [task], published: [] });
  expect([...report.panels[0].views.values()]).toEqual([view, view]);
  expect(report.panels[0].comparison[0].rows.compared).toBe(results[0].result.rows.selected);
});
