/* A program for kill-training.test.ts: trains a head into the folder given, answers and merges. */
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { parseShard } from "../../../src/evaluation/runs/shard.ts";
import { classifiedTask, embeddingModel } from "../classified-task.ts";

const [folder, shard] = process.argv.slice(2);
const task = classifiedTask({ rows: 96 });
const plan = await planRun({
  tasks: [{ task, inputs: {} }],
  models: [embeddingModel()],
  settings: ["probed"],
  recipe: { epochs: 4, batchSize: 4 },
  threads: 1,
  timing: false,
  folder,
  ...(shard === undefined ? {} : { shard: parseShard(shard) }),
});
await runShard(plan, {
  onProgress(event) {
    if (event.kind === "stage") process.stdout.write(`${event.stage}\n`);
  },
});
if (shard === undefined) await mergeRun(folder, { tasks: [task] });
