import { cp, readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { filesIn, type SyntheticFiles } from "../../../src/demo/synthetic/files.ts";
import { mergeRun } from "../../../src/evaluation/runs/merge.ts";
import { planRun } from "../../../src/evaluation/runs/plan.ts";
import { runShard } from "../../../src/evaluation/runs/run-shard.ts";
import { readResults } from "../../../src/evaluation/runs/stored-results.ts";
import { openSuite } from "../../../src/evaluation/suites/open-suite.ts";
import type { Suite } from "../../../src/evaluation/suites/suite.ts";
import { sharedGenome } from "../../shared-genomes.ts";
import { folderOfFile } from "../../temporary-folder.ts";
import { onlyTraining } from "../only-training.ts";
import { siteCounts } from "../site-counts.ts";

const root = folderOfFile();
let files: SyntheticFiles;
beforeAll(async () => {
  const { genome } = await sharedGenome({ seed: 0, scale: 0.5 });
  await cp(dirname(genome), join(root, "genome"), { recursive: true });
  files = filesIn(join(root, "genome"));
});

test("task 4's trained model scores task 5's variants: trained once, it distinguishes QTLs from controls", async () => {
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
  const trained: string[] = [];
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
        if (event.kind === "stage" && event.stage.startsWith("training, epoch 1 ")) trained.push(event.cell);
      },
    });
  } finally {
    await plan.close();
  }
  expect(new Set(trained)).toEqual(new Set([plan.cells[0].name]));
  expect(await onlyTraining(folder)).toMatch(/[0-9a-f]{8}$/);
  const [activities, variants] = await mergeRun(folder);
  expect(variants.training).toEqual(activities.training);
  const interval = (name: string) => variants.metrics.find((metric) => metric.name === name)!.intervals[0];
  // Measured: AUROC 0.993 [0.978, 1], Pearson r of the direction 0.949 [0.892, 1].
  expect(interval("auroc").low).toBeGreaterThan(0.9);
  expect(interval("direction-pearson").low).toBeGreaterThan(0.6);
});

test("weights that task 4 trained are evaluated on variants without task 4's data", async () => {
  const weights = await onlyTraining(join(root, "run"));
  const run = async (folder: string, protocol: "paper" | "corrected") => {
    const plan = await planRun({
      tasks: [{ task: "variant-effects", inputs: { genome: files.genome, variants: files.africanVariants } }],
      models: [siteCounts],
      settings: ["ab-initio"],
      weights,
      protocol,
      folder,
    });
    await runShard(plan);
    await plan.close();
    const [result] = await mergeRun(folder);
    return {
      result,
      scores: await readFile(join(folder, plan.cells[0].name, "scores.tsv"), "utf8"),
    };
  };
  const given = await run(join(root, "given"), "corrected");
  const [, trained] = await readResults(join(root, "run"));
  expect(given.scores).toBe(await readFile(join(trained.folder, "scores.tsv"), "utf8"));
  expect(given.result.metrics).toEqual(trained.result.metrics);
  expect(given.result.training).toBeUndefined();
  expect(Object.keys(given.result.cell.data)).toEqual(["variants", "genome"]);
  expect(given.result.cell.recipe).toEqual({ evaluationBatchSize: 512 });
  const paper = await run(join(root, "given-paper"), "paper");
  expect(paper.result.cell.weights).toBe(given.result.cell.weights);
});

test("a suite names weights by their path in the data folder, per setting", async () => {
  const suite: Suite = {
    name: "own",
    title: "own",
    rows: [
      {
        task: "variant-effects",
        inputs: { variants: relative(root, files.africanVariants), genome: relative(root, files.genome) },
        settings: { "ab-initio": { limit: 5, weights: "run/trained/{task}" } },
      },
    ],
  };
  const open = await openSuite(suite, { data: root });
  const [asked] = open.tasksFor([siteCounts]);
  expect(asked.bySetting).toEqual({ "ab-initio": { limit: 5, weights: join(root, "run/trained/{task}") } });
  await expect(planRun({ tasks: [asked], models: [siteCounts] })).rejects.toMatchObject({
    message: "no trained weights found",
    place: { file: join(root, "run/trained/chromatin-activity") },
  });
  const bySetting = { "zero-shot": { weights: "head.pt" } };
  await expect(
    planRun({ tasks: [{ ...asked, settings: ["zero-shot"], bySetting }], models: [siteCounts] }),
  ).rejects.toThrow("the setting zero-shot takes no trained weights");
  await open.close();
  const outside = { ...suite.rows[0], settings: { "ab-initio": { weights: "../weights" } } };
  await expect(openSuite({ ...suite, rows: [outside] }, { data: root })).rejects.toThrow(
    /the weights in the suite: "\.\.\/weights"/,
  );
});
