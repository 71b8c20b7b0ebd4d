import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SyntheticFiles } from "../../../src/demo/synthetic/files.ts";
import { writeSyntheticGenome } from "../../../src/demo/synthetic/write.ts";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import { runShard } from "../../../src/evaluation/runs/shard.ts";
import { onlyTraining } from "../only-training.ts";
import { siteCounts } from "../site-counts.ts";

let root: string;
let files: SyntheticFiles;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "dart-eval-shared-training-"));
  files = (await writeSyntheticGenome(join(root, "genome"), { seed: 0, scale: 0.5 })).files;
});
afterAll(() => rm(root, { recursive: true }));

test("what task 4 trained answers task 5: trained once, and it tells variants that matter from others", async () => {
  const line = files.cellLines.GM12878;
  const activity = {
    peaks: line.peaksTable,
    idr: line.confidentPeaksTable,
    nonpeaks: line.nonPeaksTable,
    signal: line.signal,
    "cell-line": "GM12878",
    genome: files.genome,
  };
  const folder = join(root, "run");
  const trainings: string[] = [];
  const plan = await planRun({
    tasks: [
      { task: "chromatin-activity", inputs: activity },
      { task: "variant-effects", inputs: { ...activity, variants: files.africanVariants } },
    ],
    models: [siteCounts],
    settings: ["ab-initio"],
    recipe: { epochs: 24, learningRate: 0.03, batchSize: 32 },
    folder,
  });
  try {
    await runShard(plan, {
      onProgress(event) {
        if (event.kind === "stage" && event.stage.startsWith("training, epoch 1 "))
          trainings.push(event.cell);
      },
    });
  } finally {
    await plan.close();
  }
  expect(new Set(trainings)).toEqual(new Set([plan.cells[0]!.name]));
  expect(await onlyTraining(folder)).toMatch(/[0-9a-f]{8}$/);
  const [activities, variants] = await mergeRun(folder);
  expect(variants!.training).toEqual(activities!.training);
  const interval = (name: string) => variants!.metrics.find((metric) => metric.name === name)!.intervals[0]!;
  // Measured: AUROC 0.993 [0.978, 1], Pearson r of the direction 0.949 [0.892, 1].
  expect(interval("auroc").low).toBeGreaterThan(0.9);
  expect(interval("direction-pearson").low).toBeGreaterThan(0.6);
});
