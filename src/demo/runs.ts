import type { Recipe } from "../evaluation/tasks/recipe.ts";
import type { TaskInputs } from "../evaluation/tasks/task.ts";
import { SITE_NETWORK } from "./site-network.ts";
import type { SyntheticFiles } from "./synthetic/files.ts";

/** Files that the demo asks about: the synthetic genome's, and what it builds from them. */
export interface DemoFiles extends SyntheticFiles {
  /** Task 2's sequences. */
  readonly footprints: string;
}

/** One question of the demo: a task in one setting, asked of some models. */
export interface DemoRun {
  readonly task: string;
  /** What the task takes beside the genome. */
  readonly inputs: (files: DemoFiles) => TaskInputs;
  readonly setting: string;
  /** As texts that `openModel` takes, or the name of `siteNetwork`. */
  readonly models: readonly string[];
  /** Asked under the paper's protocol too. */
  readonly both?: true;
  /** Rows that are asked; all of the task's choice where it is absent. */
  readonly rows?: number;
  /** Values in place of the benchmark's, so that it takes seconds. */
  readonly recipe?: Recipe;
  /** What is smaller still with `--quick`; not asked then where it is absent. */
  readonly quick?: Partial<Pick<DemoRun, "rows" | "models" | "recipe">>;
}

/** The two toys that are asked in every setting of language models: a causal model of letters and a masked one of words. */
const CAUSAL = "toy:hyenadna";
const MASKED = "toy:dnabert2";
/** Predicts what the others are trained for in tasks 4 and 5. */
const CHROMBPNET = "toy:chrombpnet";

const HEAD = {
  epochs: 6,
  trainRows: 300,
  valRows: 80,
  batchSize: 32,
  learningRate: 5e-4,
  storedAs: "float32",
};
const TUNING = {
  epochs: 2,
  trainRows: 128,
  valRows: 48,
  batchSize: 16,
  learningRate: 2e-3,
  evaluationBatchSize: 64,
};
const NETWORK = {
  epochs: 6,
  trainRows: 400,
  valRows: 100,
  batchSize: 32,
  evaluationBatchSize: 256,
  learningRate: 5e-4,
};
/** For windows of 2,114 bases. */
const LONG_HEAD = { ...HEAD, trainRows: 192, valRows: 48, learningRate: 5e-5 };
const LONG_TUNING = { ...TUNING, trainRows: 64, valRows: 24, batchSize: 8 };
const LONG_NETWORK = { ...NETWORK, epochs: 2, trainRows: 128, valRows: 48 };
/** For one number per planted motif: all rows that the benchmark trains on. */
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
/** The cell line that the variants' effects are of, as in the benchmark. */
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
/** What was trained on the cell line's activity answers for variants too. */
const trainedForVariants = {
  ...variants,
  inputs: (files: DemoFiles) => ({ ...variants.inputs(files), ...activity.inputs(files) }),
};

/** What the demo asks, in the order in which it asks. */
export const DEMO_RUNS: readonly DemoRun[] = [
  {
    ...{ ...elements, setting: "zero-shot", both: true },
    models: ["kmer-markov:order=1", "kmer-markov:order=5", CAUSAL, "toy:mistral-dna"],
    quick: {},
  },
  {
    ...{ ...elements, setting: "zero-shot", rows: 60 },
    models: [MASKED, "toy:gena-lm", "toy:nucleotide-transformer"],
  },
  // a copy of the sequence for each of its letters: few pairs take long
  { ...{ ...elements, setting: "zero-shot", rows: 40 }, models: ["toy:caduceus"] },
  {
    ...{ ...elements, setting: "probed", recipe: HEAD },
    models: [CAUSAL, MASKED],
    quick: { rows: 40, recipe: { ...HEAD, epochs: 2, trainRows: 64, valRows: 32 } },
  },
  { ...{ ...elements, setting: "fine-tuned", rows: 100, recipe: TUNING }, models: [CAUSAL, MASKED] },
  {
    ...{ ...elements, setting: "ab-initio", recipe: NETWORK },
    models: ["probing-head-like"],
    quick: { rows: 40, recipe: { ...NETWORK, epochs: 1, trainRows: 128, valRows: 32 } },
  },

  {
    ...{ ...footprints, setting: "zero-shot", rows: 400 },
    models: ["kmer-markov:order=5", CAUSAL],
    quick: { rows: 40 },
  },
  { ...{ ...footprints, setting: "zero-shot-embedding", rows: 400 }, models: [CAUSAL, MASKED] },

  {
    ...{ ...cellTypes, setting: "zero-shot-embedding" },
    recipe: { clusters: 20, clusterSeeds: 5, components: 20 },
    models: [CAUSAL, MASKED],
  },
  { ...{ ...cellTypes, setting: "probed", recipe: HEAD }, models: [CAUSAL, MASKED] },
  { ...{ ...cellTypes, setting: "fine-tuned", rows: 100, recipe: TUNING }, models: [CAUSAL, MASKED] },
  { ...{ ...cellTypes, setting: "ab-initio", recipe: NETWORK }, models: ["probing-head-like"] },

  {
    ...{ ...activity, setting: "probed", rows: 100, recipe: LONG_HEAD },
    models: [CAUSAL, MASKED],
  },
  {
    ...{ ...activity, setting: "fine-tuned", rows: 100, recipe: LONG_TUNING },
    models: [CAUSAL, MASKED],
  },
  {
    ...{ ...activity, setting: "ab-initio", rows: 100, recipe: LONG_NETWORK },
    models: ["probing-head-like"],
  },
  { ...{ ...activity, setting: "ab-initio", recipe: SITE_WEIGHTS }, models: [SITE_NETWORK] },
  { ...{ ...activity, setting: "predicted" }, models: [CHROMBPNET] },

  {
    ...{ ...variants, setting: "zero-shot" },
    models: ["kmer-markov:order=5", CAUSAL],
    quick: { rows: 30 },
  },
  { ...{ ...variants, setting: "zero-shot-embedding", rows: 200 }, models: [CAUSAL, MASKED] },
  {
    ...{ ...trainedForVariants, setting: "probed", rows: 60, recipe: LONG_HEAD },
    models: [CAUSAL, MASKED],
  },
  {
    ...{ ...trainedForVariants, setting: "fine-tuned", rows: 60, recipe: LONG_TUNING },
    models: [CAUSAL, MASKED],
  },
  {
    ...{ ...trainedForVariants, setting: "ab-initio", rows: 60, recipe: LONG_NETWORK },
    models: ["probing-head-like"],
  },
  { ...{ ...trainedForVariants, setting: "ab-initio", recipe: SITE_WEIGHTS }, models: [SITE_NETWORK] },
  { ...{ ...variants, setting: "predicted" }, models: [CHROMBPNET] },
];

/** `regulatory-elements, probed: epochs 6, trainRows 300`, for every question whose recipe is not the benchmark's. */
export function changedRecipes(questions: readonly DemoRun[]): readonly string[] {
  return questions.flatMap(({ task, setting, recipe }) => {
    if (recipe === undefined) return [];
    const values = Object.entries(recipe).map(([name, value]) => `${name} ${value}`);
    return [`${task}, ${setting}: ${values.join(", ")}`];
  });
}

/** Those of the questions that `--quick` asks, as small as it asks them. */
export function quickRuns(questions: readonly DemoRun[]): readonly DemoRun[] {
  return questions.flatMap(({ quick, ...question }) =>
    quick === undefined ? [] : [{ ...question, ...quick }],
  );
}
