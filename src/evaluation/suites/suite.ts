import type { Split } from "../../dna/genome/chromosome-split.ts";
import type { ExcludedModels } from "../runs/request.ts";
import type { Recipe } from "../tasks/recipe.ts";

/** What a suite asks in one setting of a row, otherwise than the task does by itself. */
export interface SuiteSetting {
  readonly split?: Split;
  /** At most this many rows. */
  readonly limit?: number;
  /** Rows of each stratum that the task's form tells apart, at most. */
  readonly sample?: Readonly<Record<string, number>>;
  readonly recipe?: Recipe;
  /** Trained weights to evaluate in place of training: a place in the data folder, with placeholders as `run --weights` has. */
  readonly weights?: string;
  /** Models that are left out, with a note, unless a user names both the task and the setting. */
  readonly except?: ExcludedModels;
}

/** One task on one data set. */
export interface SuiteRow {
  readonly task: string;
  /** By the names of the task's form: files by their place in the data folder, words as they are. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Inputs to read in place of `inputs` where files of those are missing: a data.h5 that holds the same rows. */
  readonly fallback?: Readonly<Record<string, string>>;
  /** Names of inputs that are left out, with a note, where the file is missing. */
  readonly optional?: readonly string[];
  /** By the setting's name. */
  readonly settings: Readonly<Record<string, SuiteSetting>>;
  /** Names or families of the models that are asked; all where it is absent. */
  readonly models?: readonly string[];
}

/** Several tasks, each on several data sets, run as one: data alone. */
export interface Suite {
  /** Kebab-case. */
  readonly name: string;
  readonly title: string;
  readonly rows: readonly SuiteRow[];
}
