import { InputError } from "../../base/errors.ts";
import type { Split } from "../../dna/genome/chromosome-split.ts";
import type { Model, Protocol } from "../../models/model.ts";
import type { StoredAs } from "../embeddings/packed-embedding.ts";
import type { SettingName } from "../settings/catalogue.ts";
import type { EmbeddingsPlace, Setting, WeightsFile } from "../settings/setting.ts";
import type { ExcludedModels } from "../tasks/benchmark.ts";
import type { NameOr, TaskName } from "../tasks/catalogue.ts";
import type { Recipe } from "../tasks/recipe.ts";
import type { OpenTask, RowNumbers, Task, TaskInputs } from "../tasks/task.ts";
import type { CellRecord } from "./cell.ts";
import type { CostEstimate } from "./cost.ts";
import { checkShard, type Shard } from "./shard.ts";

/** One task of a run on one data set, with what is asked of it otherwise than of the others. */
export interface RequestedTask extends Partial<Pick<RunRequest, "settings" | "models">>, RequestedRows {
  /** A task's name, or a custom task. */
  readonly task: NameOr<TaskName> | Task;
  readonly inputs: TaskInputs;
  /** What is different in a setting, by its name. */
  readonly bySetting?: Readonly<Record<string, RequestedRows>>;
}

/** Which rows are asked, and with which recipe or weights. */
interface RequestedRows extends Partial<Pick<RunRequest, "split" | "limit" | "recipe" | "weights">> {
  /** Rows of each stratum that the task's form tells apart, at most; rows of other strata are not asked. */
  readonly sample?: Readonly<Record<string, number>>;
  /** Models that are left out, with a note. */
  readonly except?: ExcludedModels;
}

/** What a user asks for: the product of tasks, models and settings. */
export interface RunRequest {
  readonly tasks: readonly RequestedTask[];
  /** Opened by the caller, closed by the caller. */
  readonly models: readonly Model[];
  /** Names or custom settings; default: zero-shot, or the first setting of a task without it. */
  readonly settings?: readonly (NameOr<SettingName> | Setting)[];
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

/** One cell, ready to run. */
export interface PlannedCell {
  readonly record: CellRecord;
  /** First eight hexadecimal digits of the identity: the cell's folder. */
  readonly name: string;
  readonly task: OpenTask;
  readonly model: Model;
  readonly setting: Setting;
  /** Trained weights that are evaluated in place of training. */
  readonly weights?: WeightsFile;
  /** This shard's rows, in table order. */
  readonly rows: RowNumbers;
  /** Rows of this shard that the folder already holds. */
  readonly rowsDone: number;
  /** Sequences per call. */
  readonly batchSize: number;
  /** CPU threads of a setting that trains; undefined: one per core. */
  readonly threads?: number | undefined;
  readonly estimate: CostEstimate;
  /** Present where the setting stores embeddings. */
  readonly embeddings?: PlannedEmbeddings;
  /** The cell of an earlier plan whose answers are this one's too. */
  readonly answersOf?: ReusablePredictions;
}

/** Everything decided before anything expensive. Made by `planRun`, done by `runShard`. */
export interface Plan {
  /** SHA-256 over the cells' identities: two runs may share a folder exactly when theirs are equal. */
  readonly identity: string;
  readonly folder: string | undefined;
  /** The folder of what is trained; undefined: kept for the run alone. */
  readonly trained: string | undefined;
  readonly shard: Shard;
  readonly cells: readonly PlannedCell[];
  /** Sentences a user should read before the run: models without an identity, reduced batch sizes, rows that no split has. */
  readonly notes: readonly string[];
  /** The tasks as they were opened: a later plan for the same asked tasks takes them from here. */
  readonly opened: ReadonlyMap<RequestedTask, OpenTask>;
  /** Of the tasks' own random numbers. */
  readonly seed: number;
  /** Closes what the plan opened (genomes given as paths); models stay the caller's. */
  close(): Promise<void>;
}

/** Embeddings that a cell of a plan stores. */
export interface PlannedEmbeddings {
  /** On disk; undefined: in memory, for this cell alone. */
  readonly place: EmbeddingsPlace | undefined;
  /** Absent where the model does not declare its width. */
  readonly size?: {
    /** At most: repeated sequences are stored once. */
    readonly sequences: number;
    readonly storedAs: StoredAs | "auto";
    /** In the expected precision: float16 where it is not decided yet. */
    readonly bytes: number;
    /** In float32, where it is not decided yet; else as `bytes`. */
    readonly mostBytes: number;
  };
}

/** A cell of another run whose answers may be taken. */
export interface ReusablePredictions {
  /** The run's folder. */
  readonly folder: string;
  readonly record: CellRecord;
  /** The cell's folder name. */
  readonly name: string;
}

/**
 * Checks the options of a run that can be wrong by themselves.
 * @throws {InputError} naming the option
 */
export function checkRequest(request: RunRequest): void {
  const { tasks, models, protocol, seed, shard, batchSize, threads, memory } = request;
  if (tasks.length === 0) throw new InputError("no task is asked for");
  if (models.length === 0) throw new InputError("no model is given");
  models.forEach(checkModel);
  checkRequestedRows(request);
  for (const asked of tasks) {
    if (asked.models?.length === 0) throw new InputError("a task is asked of no model");
    asked.models?.forEach(checkModel);
    for (const { sample = {}, ...rest } of [asked, ...Object.values(asked.bySetting ?? {})]) {
      checkRequestedRows(rest);
      for (const [stratum, most] of Object.entries(sample)) {
        if (!isCount(most))
          throw optionError(`sample of ${stratum}`, most, "a whole number of rows, at least 1");
      }
    }
  }
  checkOneOf("protocol", protocol, ["paper", "corrected"]);
  if (seed !== undefined && !Number.isSafeInteger(seed)) throw optionError("seed", seed, "a whole number");
  if (batchSize !== undefined && !isCount(batchSize)) {
    throw optionError("batch size", batchSize, "a whole number of sequences, at least 1");
  }
  if (threads !== undefined && !isCount(threads)) {
    throw optionError("number of threads", threads, "a whole number, at least 1");
  }
  if (memory !== undefined && !(memory > 0)) throw optionError("memory", memory, "a number of bytes");
  if (shard !== undefined) checkShard(shard);
}

/** What may be asked of all tasks, or of one. */
function checkRequestedRows({
  settings,
  split,
  limit,
}: Pick<RunRequest, "settings" | "split" | "limit">): void {
  if (settings?.length === 0) throw new InputError("no setting is asked for");
  checkOneOf("split", split, ["train", "val", "test", "all"]);
  if (limit !== undefined && !isCount(limit))
    throw optionError("limit", limit, "a whole number of rows, at least 1");
}

function checkModel(model: Model) {
  if (typeof model?.name !== "string" || model.name.trim() === "") {
    throw new InputError("a model has no name", {
      hint: "a model is an object with `name` and `logLikelihood(sequences)` or `embed(sequences)`",
    });
  }
  const questions = [
    "logLikelihood",
    "embed",
    "predictActivity",
    "forCellLine",
    "tokenCount",
    "memory",
  ] as const;
  for (const question of questions) {
    if (model[question] !== undefined && typeof model[question] !== "function") {
      throw new InputError(`${question} of the model ${JSON.stringify(model.name)} is not a function`);
    }
  }
  if (model.batchSize !== undefined && !isCount(model.batchSize)) {
    throw optionError(
      `batchSize of the model ${JSON.stringify(model.name)}`,
      model.batchSize,
      "a whole number, at least 1",
    );
  }
}

function checkOneOf(name: string, value: string | undefined, allowed: readonly string[]) {
  if (value !== undefined && !allowed.includes(value)) throw optionError(name, value, allowed.join(" or "));
}

const isCount = (value: number) => Number.isSafeInteger(value) && value >= 1;

const optionError = (name: string, value: unknown, expected: string) =>
  new InputError(`the ${name} is ${JSON.stringify(value)}; expected ${expected}`);
