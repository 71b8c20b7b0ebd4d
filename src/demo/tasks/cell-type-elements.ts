import { CAUSAL, type DemoTask, HEAD, MASKED, NETWORK, SMALL_HEAD, TUNING } from "../runs.ts";

export const cellTypeElementsDemo: DemoTask = {
  task: "cell-type-elements",
  inputs: (files) => ({ elements: files.cellTypePeaks }),
  runs: [
    {
      setting: "zero-shot-embedding",
      recipe: { clusters: 20, clusterSeeds: 5, components: 20 },
      models: [CAUSAL, MASKED],
    },
    { setting: "probed", recipe: HEAD, models: [CAUSAL] },
    { setting: "probed", rows: 100, recipe: SMALL_HEAD, models: [MASKED] },
    { setting: "fine-tuned", rows: 40, recipe: TUNING, models: [CAUSAL, MASKED] },
    { setting: "ab-initio", rows: 100, recipe: NETWORK, models: ["probing-head-like"] },
  ],
  signals: [
    {
      setting: "zero-shot-embedding",
      model: "hyenadna-toy",
      above: 0,
      reason: "each cell line has specific sites",
    },
    {
      setting: "probed",
      model: "hyenadna-toy",
      metric: "macro-auroc",
      above: 0.5,
      reason: "each cell line has specific sites",
    },
  ],
};
