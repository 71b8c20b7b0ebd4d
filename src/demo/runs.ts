import type { Recipe } from "../evaluation/tasks/recipe.ts";
import type { TaskInputs } from "../evaluation/tasks/task.ts";
import { SITE_NETWORK } from "./site-network.ts";
import type { SyntheticFiles } from "./synthetic/files.ts";

/** Files of the synthetic genome, and those that the demo builds from them. */
export interface DemoFiles extends SyntheticFiles {
  /** Task 2's sequences. */
  readonly footprints: string;
}

/** One task in one setting, evaluated for some models. */
export interface DemoRun {
  readonly task: string;
  /** Inputs of the task other than the genome. */
  readonly inputs: (files: DemoFiles) => TaskInputs;
  readonly setting: string;
  /** Arguments of `openModel`, or the name of `siteNetwork`. */
  readonly models: readonly string[];
  /** Also run under the paper protocol. */
  readonly both?: true;
  /** Number of evaluated rows; default: all of the task's selection. */
  readonly rows?: number;
  /** Recipe values that replace the benchmark's for a run of seconds. */
  readonly recipe?: Recipe;
  /** Smaller values for `--quick`, which skips runs without them. */
  readonly quick?: Partial<Pick<DemoRun, "rows" | "models" | "recipe">>;
}

/**
 * Toy models for every setting of language models: a causal model with single-base tokens, a masked one with
 * BPE tokens.
 */
const CAUSAL = "toy:hyenadna";
const MASKED = "toy:dnabert2";
/** Predicts the activities of tasks 4 and 5 without training. */
const CHROMBPNET = "toy:chrombpnet";

const HEAD = {
  epochs: 6,
  trainRows: 300,
  valRows: 80,
  batchSize: 32,
  learningRate: 5e-4,
  storedAs: "float32",
};
/** Recipe for models without a planted signal in the probed setting. */
const SMALL_HEAD = { ...HEAD, trainRows: 128, valRows: 48 };
const TUNING = {
  epochs: 2,
  trainRows: 64,
  valRows: 24,
  batchSize: 16,
  learningRate: 2e-3,
  evaluationBatchSize: 64,
};
const NETWORK = {
  epochs: 2,
  trainRows: 256,
  valRows: 64,
  batchSize: 32,
  evaluationBatchSize: 256,
  learningRate: 5e-4,
};
/** Recipes for windows of 2,114 bases. */
const LONG_HEAD = { ...HEAD, trainRows: 96, valRows: 24, learningRate: 5e-5 };
const LONG_TUNING = { ...TUNING, epochs: 1, trainRows: 32, valRows: 12, batchSize: 8 };
const LONG_NETWORK = { ...NETWORK, trainRows: 64, valRows: 24 };
/** Recipe for one weight per planted motif, trained on all rows of the training split. */
const SITE_WEIGHTS = { epochs: 10, batchSize: 32, learningRate: 0.03 };

const elements = {
  task: "regulatory-elements",
  inputs: (files: DemoFiles) => ({ elements: files.regulatoryElements }),
};
const footprints = {
  task: "motif-footprinting",
  inputs: (files: DemoFiles) => ({ footprints: files.footprints, families: files.motifFamilies }),
};
const cellTypes = {
  task: "cell-type-elements",
  inputs: (files: DemoFiles) => ({ elements: files.cellTypePeaks }),
};
/** Cell line of the variants' effects, as in the benchmark. */
const CELL_LINE = "GM12878";
const activity = {
  task: "chromatin-activity",
  inputs({ cellLines }: DemoFiles) {
    const { peaksTable, confidentPeaksTable, nonPeaksTable, signal } = cellLines[CELL_LINE];
    const tables = { peaks: peaksTable, idr: confidentPeaksTable, nonpeaks: nonPeaksTable };
    return { ...tables, signal, "cell-line": CELL_LINE };
  },
};
const variants = {
  task: "variant-effects",
  inputs: (files: DemoFiles) => ({ variants: files.africanVariants }),
};
/** Variants with the activity data that models are trained on. */
const trainedForVariants = {
  ...variants,
  inputs: (files: DemoFiles) => ({ ...variants.inputs(files), ...activity.inputs(files) }),
};

/** Runs of the demo, in order. */
export const DEMO_RUNS: readonly DemoRun[] = [
  // Masked models evaluate one masked copy of the sequence per token, so few rows suffice. They come first
  // because they take longest of those that do not train.
  { ...elements, setting: "zero-shot", rows: 4, models: ["toy:caduceus"] },
  {
    ...elements,
    setting: "zero-shot",
    rows: 16,
    models: ["toy:nucleotide-transformer", MASKED, "toy:gena-lm"],
  },
  {
    ...elements,
    setting: "zero-shot",
    both: true,
    models: ["kmer-markov:order=1", "kmer-markov:order=5", CAUSAL, "toy:mistral-dna"],
    quick: {},
  },
  {
    ...elements,
    setting: "probed",
    recipe: HEAD,
    models: [CAUSAL],
    quick: { models: [CAUSAL, MASKED], rows: 40, recipe: { ...HEAD, epochs: 2, trainRows: 64, valRows: 32 } },
  },
  { ...elements, setting: "probed", rows: 100, recipe: SMALL_HEAD, models: [MASKED] },
  { ...elements, setting: "fine-tuned", rows: 40, recipe: TUNING, models: [CAUSAL, MASKED] },
  {
    ...elements,
    setting: "ab-initio",
    rows: 100,
    recipe: NETWORK,
    models: ["probing-head-like"],
    quick: { rows: 40, recipe: { ...NETWORK, epochs: 1, trainRows: 128, valRows: 32 } },
  },

  {
    ...footprints,
    setting: "zero-shot",
    rows: 400,
    models: ["kmer-markov:order=5", CAUSAL],
    quick: { rows: 40 },
  },
  { ...footprints, setting: "zero-shot-embedding", rows: 400, models: [CAUSAL, MASKED] },

  {
    ...cellTypes,
    setting: "zero-shot-embedding",
    recipe: { clusters: 20, clusterSeeds: 5, components: 20 },
    models: [CAUSAL, MASKED],
  },
  { ...cellTypes, setting: "probed", recipe: HEAD, models: [CAUSAL] },
  { ...cellTypes, setting: "probed", rows: 100, recipe: SMALL_HEAD, models: [MASKED] },
  { ...cellTypes, setting: "fine-tuned", rows: 40, recipe: TUNING, models: [CAUSAL, MASKED] },
  { ...cellTypes, setting: "ab-initio", rows: 100, recipe: NETWORK, models: ["probing-head-like"] },

  {
    ...activity,
    setting: "probed",
    rows: 40,
    recipe: LONG_HEAD,
    models: [CAUSAL, MASKED],
  },
  {
    ...activity,
    setting: "fine-tuned",
    rows: 40,
    recipe: LONG_TUNING,
    models: [CAUSAL, MASKED],
  },
  {
    ...activity,
    setting: "ab-initio",
    rows: 40,
    recipe: LONG_NETWORK,
    models: ["probing-head-like"],
  },
  { ...activity, setting: "ab-initio", recipe: SITE_WEIGHTS, models: [SITE_NETWORK] },
  { ...activity, setting: "predicted", models: [CHROMBPNET] },

  {
    ...variants,
    setting: "zero-shot",
    models: ["kmer-markov:order=5", CAUSAL],
    quick: { rows: 30 },
  },
  { ...variants, setting: "zero-shot-embedding", rows: 80, models: [CAUSAL, MASKED] },
  {
    ...trainedForVariants,
    setting: "probed",
    rows: 24,
    recipe: LONG_HEAD,
    models: [CAUSAL, MASKED],
  },
  {
    ...trainedForVariants,
    setting: "fine-tuned",
    rows: 24,
    recipe: LONG_TUNING,
    models: [CAUSAL, MASKED],
  },
  {
    ...trainedForVariants,
    setting: "ab-initio",
    rows: 24,
    recipe: LONG_NETWORK,
    models: ["probing-head-like"],
  },
  { ...trainedForVariants, setting: "ab-initio", recipe: SITE_WEIGHTS, models: [SITE_NETWORK] },
  { ...variants, setting: "predicted", models: [CHROMBPNET] },
];

/**
 * Lines such as `regulatory-elements, probed: epochs 6, trainRows 300`, one per run with a recipe other than
 * the benchmark's.
 */
export function changedRecipes(runs: readonly DemoRun[]): readonly string[] {
  return runs.flatMap(({ task, setting, recipe }) => {
    if (recipe === undefined) return [];
    const values = Object.entries(recipe).map(([name, value]) => `${name} ${value}`);
    return [`${task}, ${setting}: ${values.join(", ")}`];
  });
}

/** Runs of `--quick`, with their smaller values. */
export function quickRuns(runs: readonly DemoRun[]): readonly DemoRun[] {
  return runs.flatMap(({ quick, ...run }) => (quick === undefined ? [] : [{ ...run, ...quick }]));
}
