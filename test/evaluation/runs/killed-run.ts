/* A program for kill.test.ts: runs a slow model into the folder given and merges. */
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { parseShard } from "../../../src/evaluation/runs/shard.ts";
import { fakeModel, fakeTask } from "../fake-task.ts";

const [folder, milliseconds, shard] = process.argv.slice(2);
const task = fakeTask({ rows: 150 });
const plan = await planRun({
  tasks: [{ task, inputs: {} }],
  models: [fakeModel({ milliseconds: Number(milliseconds) })],
  folder,
  timing: false,
  ...(shard === undefined ? {} : { shard: parseShard(shard) }),
});
await runShard(plan, {
  onProgress: (event) => {
    if (event.kind === "batch") process.stdout.write(`${event.rowsDone}\n`);
  },
});
if (shard === undefined) await mergeRun(folder, { tasks: [task] });
