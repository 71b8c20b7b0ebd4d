import type { Model, Protocol } from "../../models/model.ts";
import type { Setting } from "../settings/setting.ts";
import type { Recipe } from "../tasks/recipe.ts";
import type { Split, Task, TaskInputs } from "../tasks/task.ts";
import type { Plan } from "./plan.ts";

/** Part of a cell's rows: shard `index` (1-based) of `count`. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** One task of a run on one data set, with what is asked of it otherwise than of the others. */
export interface AskedTask extends Partial<Pick<RunRequest, "settings" | "models">>, AskedRows {
  /** A task's name, or a form of one's own. */
  readonly task: string | Task;
  readonly inputs: TaskInputs;
  /** What is different in a setting, by its name. */
  readonly bySetting?: Readonly<Record<string, AskedRows>>;
}

/** Which rows are asked, and with which recipe or weights. */
interface AskedRows extends Partial<Pick<RunRequest, "split" | "limit" | "recipe" | "weights">> {
  /** Rows of each stratum that the task's form tells apart, at most; rows of other strata are not asked. */
  readonly sample?: Readonly<Record<string, number>>;
  /** Models that are left out, with a note. */
  readonly except?: ExceptedModels;
}

/** Models that a setting of a task is not meant for. */
export interface ExceptedModels {
  /** What they read a sequence as. */
  readonly tokens: NonNullable<Model["tokens"]>;
  /** One sentence. */
  readonly because: string;
}

/** What a user asks for: the product of tasks, models and settings. */
export interface RunRequest {
  readonly tasks: readonly AskedTask[];
  /** Opened by the caller, closed by the caller. */
  readonly models: readonly Model[];
  /** Names or procedures of one's own; default: ["zero-shot"]. */
  readonly settings?: readonly (string | Setting)[];
  /** Default "corrected". */
  readonly protocol?: Protocol;
  /** Seed of the task's own random numbers (the shuffles of the controls); default 0, as published. */
  readonly seed?: number;
  /** Default: the task's own, test chromosomes for Task 1. */
  readonly split?: Split;
  /** At most this many rows per task, picked by a digest of their number; default: all. */
  readonly limit?: number;
  /** Values in place of those of the settings' recipes, by name: `{ epochs: 2 }`. Part of the cells' identity. */
  readonly recipe?: Recipe;
  /**
   * Trained weights that settings which train evaluate in place of training: a file, or a folder as `weightsOfCell` reads it,
   * with placeholders for what differs between cells: `heads/{model}/{cell-line}`. Its digest is part of the cells' identity.
   */
  readonly weights?: string;
  /**
   * Folder of probing embeddings that runs share; embeddings of evaluated rows are stored there too. Default: in memory if they
   * take at most 512 MiB and a quarter of the memory, else `embeddings` in the run's folder. Embeddings of models without an
   * identity should not be shared.
   */
  readonly embeddings?: string;
  /**
   * Where settings that train keep what they trained; default: `trained` in the run's folder. Runs may share it, and what one of
   * them trained answers for the others; but not with models without an identity.
   */
  readonly trained?: string;
  /** Where the run is kept; undefined: in memory. Created when the run starts. */
  readonly folder?: string;
  /** Default 1 of 1. */
  readonly shard?: Shard;
  /** Sequences per call of the model; default: the model's own, reduced until it fits in memory. */
  readonly batchSize?: number;
  /** CPU threads of settings that train; default: one per core. Models have their own, from when they were opened. */
  readonly threads?: number;
  /** Bytes the run may take; default: what the system says is available. */
  readonly memory?: number;
  /** Leave out what a model cannot answer, with a note, instead of refusing the run; default false. */
  readonly leaveOut?: boolean;
  /**
   * Plans of the same request under the other protocol, to be run before and closed after: where a setting's answers are the
   * same under both, they are taken from there. The same `tasks` are opened once.
   */
  readonly earlier?: readonly Plan[];
  /** Time a few rows to estimate the run's duration; default true. */
  readonly timing?: boolean;
  /** Train a little as well, to estimate settings that train: seconds to minutes per setting and model; default false. */
  readonly timeTraining?: boolean;
  readonly signal?: AbortSignal;
}
