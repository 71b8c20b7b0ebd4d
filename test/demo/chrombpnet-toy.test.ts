import { beforeAll, expect, test } from "vitest";
import { DEMO_RUNS, PLANTED_SIGNALS } from "../../src/demo/catalogue.ts";
import type { SyntheticFiles } from "../../src/demo/synthetic/files.ts";
import { evaluate } from "../../src/evaluation/evaluate.ts";
import { openModel } from "../../src/models/open-model.ts";
import { sharedGenome } from "../shared-genomes.ts";

const TOY = "toy:chrombpnet";

let files: SyntheticFiles;
beforeAll(async () => {
  // The demo's genome has seed 0, the training genome seed 1.
  files = await sharedGenome({ seed: 2, scale: 2 });
});

// Few peaks are on test chromosomes, and each of the many variants takes two passes.
test.each<[string, { readonly limit?: number }]>([
  ["chromatin-activity", {}],
  ["variant-effects", { limit: 400 }],
])("ChromBPNet's toy recovers the planted signals of %s in another genome", async (task, few) => {
  const run = DEMO_RUNS.find(({ models, task: of }) => models.includes(TOY) && of === task)!;
  const model = await openModel(TOY, { threads: 1 });
  const signals = PLANTED_SIGNALS.filter((signal) => signal.task === task && signal.model === model.name);
  expect(signals.length).toBeGreaterThan(0);
  const { metrics } = await evaluate({
    task,
    model,
    setting: run.setting,
    ...few,
    inputs: { genome: files.genome, ...run.inputs({ ...files, footprints: "" }) },
  });
  for (const { metric, above } of signals) {
    const found = metrics.find(({ name, main }) => (metric === undefined ? main : name === metric))!;
    expect(found.intervals[0].low).toBeGreaterThan(above!);
  }
  await model.close?.();
});
