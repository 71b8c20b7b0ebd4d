import type { Recipe } from "../evaluation/tasks/recipe.ts";
import type { TaskInputs } from "../evaluation/tasks/task.ts";
import type { PlantedSignal } from "./planted-signals.ts";
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

/** A task in the demo: its runs, and the planted signals that they must recover. */
export interface DemoTask {
  readonly task: string;
  /** Inputs of its runs; a run may have others. */
  readonly inputs: DemoRun["inputs"];
  /** Writes inputs that are built from other files, unless they exist. */
  readonly build?: (files: DemoFiles) => Promise<void>;
  readonly runs: readonly (Omit<DemoRun, "task" | "inputs"> & Partial<Pick<DemoRun, "inputs">>)[];
  readonly signals: readonly Omit<PlantedSignal, "task">[];
}

/**
 * Toy models for every setting of language models: a causal model with single-base tokens, a masked one with
 * BPE tokens.
 */
export const CAUSAL = "toy:hyenadna";
export const MASKED = "toy:dnabert2";
/** Predicts the activities of tasks 4 and 5 without training. */
export const CHROMBPNET = "toy:chrombpnet";

/** Recipes for a run of seconds: a probing head, LoRA, and a network trained ab initio. */
export const HEAD = {
  epochs: 6,
  trainRows: 300,
  valRows: 80,
  batchSize: 32,
  learningRate: 5e-4,
  storedAs: "float32",
};
/** Recipe for models without a planted signal in the probed setting. */
export const SMALL_HEAD = { ...HEAD, trainRows: 128, valRows: 48 };
export const TUNING = {
  epochs: 2,
  trainRows: 64,
  valRows: 24,
  batchSize: 16,
  learningRate: 2e-3,
  evaluationBatchSize: 64,
};
export const NETWORK = {
  epochs: 2,
  trainRows: 256,
  valRows: 64,
  batchSize: 32,
  evaluationBatchSize: 256,
  learningRate: 5e-4,
};
/** Recipes for windows of 2,114 bases. */
export const LONG_HEAD = { ...HEAD, trainRows: 96, valRows: 24, learningRate: 5e-5 };
export const LONG_TUNING = { ...TUNING, epochs: 1, trainRows: 32, valRows: 12, batchSize: 8 };
export const LONG_NETWORK = { ...NETWORK, trainRows: 64, valRows: 24 };
/** Recipe for one weight per planted motif, trained on all rows of the training split. */
export const SITE_TRAINING = { epochs: 10, batchSize: 32, learningRate: 0.03 };

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
