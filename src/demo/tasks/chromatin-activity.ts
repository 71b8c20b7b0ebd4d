import {
  CAUSAL,
  CHROMBPNET,
  type DemoRun,
  type DemoTask,
  LONG_HEAD,
  LONG_NETWORK,
  LONG_TUNING,
  MASKED,
  SITE_TRAINING,
} from "../runs.ts";
import { SITE_NETWORK } from "../site-network.ts";

/** Cell line of the variants' effects, as in the benchmark. */
const CELL_LINE = "GM12878";

/** Activity data, which models of variants are trained on too. */
export const activityInputs: DemoRun["inputs"] = ({ cellLines }) => {
  const { peaksTable, confidentPeaksTable, nonPeaksTable, signal } = cellLines[CELL_LINE];
  const tables = { peaks: peaksTable, idr: confidentPeaksTable, nonpeaks: nonPeaksTable };
  return { ...tables, signal, "cell-line": CELL_LINE };
};

export const chromatinActivityDemo: DemoTask = {
  task: "chromatin-activity",
  inputs: activityInputs,
  runs: [
    { setting: "probed", rows: 40, recipe: LONG_HEAD, models: [CAUSAL, MASKED] },
    { setting: "fine-tuned", rows: 40, recipe: LONG_TUNING, models: [CAUSAL, MASKED] },
    { setting: "ab-initio", rows: 40, recipe: LONG_NETWORK, models: ["probing-head-like"] },
    { setting: "ab-initio", recipe: SITE_TRAINING, models: [SITE_NETWORK] },
    { setting: "predicted", models: [CHROMBPNET] },
  ],
  signals: [
    ...[
      { metric: "spearman-peaks", above: 0.5 },
      { metric: "auroc", above: 0.9 },
    ].map((expected) => ({
      dataset: CELL_LINE,
      setting: "ab-initio",
      model: SITE_NETWORK,
      ...expected,
      reason: "reads show how much each site opens chromatin",
    })),
    {
      dataset: CELL_LINE,
      setting: "predicted",
      model: "chrombpnet-toy",
      metric: "auroc",
      above: 0.8,
      reason: "it learned from another genome which sites open chromatin",
    },
  ],
};
