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
import { activityInputs } from "./chromatin-activity.ts";

const inputs: DemoRun["inputs"] = (files) => ({ variants: files.africanVariants });

/** Inputs of settings that train: the variants with the activity data. */
const trainingInputs: DemoRun["inputs"] = (files) => ({ ...inputs(files), ...activityInputs(files) });

const study = { dataset: "african-caqtls" };

export const variantEffectsDemo: DemoTask = {
  task: "variant-effects",
  inputs,
  runs: [
    { setting: "zero-shot", models: ["kmer-markov:order=5", CAUSAL], quick: { rows: 30 } },
    { setting: "zero-shot-embedding", rows: 80, models: [CAUSAL, MASKED] },
    {
      inputs: trainingInputs,
      setting: "probed",
      rows: 24,
      recipe: LONG_HEAD,
      models: [CAUSAL, MASKED],
    },
    {
      inputs: trainingInputs,
      setting: "fine-tuned",
      rows: 24,
      recipe: LONG_TUNING,
      models: [CAUSAL, MASKED],
    },
    {
      inputs: trainingInputs,
      setting: "ab-initio",
      rows: 24,
      recipe: LONG_NETWORK,
      models: ["probing-head-like"],
    },
    { inputs: trainingInputs, setting: "ab-initio", recipe: SITE_TRAINING, models: [SITE_NETWORK] },
    { setting: "predicted", models: [CHROMBPNET] },
  ],
  signals: [
    ...["kmer-markov-5", "hyenadna-toy"].map((model) => ({
      ...study,
      setting: "zero-shot",
      model,
      above: 0.5,
      reason: "QTLs break or create a site",
    })),
    ...["kmer-markov-5", "hyenadna-toy"].map((model) => ({
      ...study,
      setting: "zero-shot",
      model,
      metric: "pearson",
      above: 0,
      reason: "creating a site opens chromatin, breaking one closes it",
    })),
    {
      ...study,
      setting: "ab-initio",
      model: SITE_NETWORK,
      metric: "pearson",
      above: 0.8,
      reason: "site effects learned from reads apply to alleles",
    },
    ...[{ above: 0.6 }, { metric: "pearson", above: 0.5 }].map((expected) => ({
      ...study,
      setting: "predicted",
      model: "chrombpnet-toy",
      ...expected,
      reason: "its predicted reads change with a site's alleles",
    })),
  ],
};
