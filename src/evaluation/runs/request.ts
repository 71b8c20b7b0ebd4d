import { InputError } from "../../base/errors.ts";
import type { Split } from "../../dna/genome/chromosome-split.ts";
import type { Model, Protocol } from "../../models/model.ts";
import type { Device, TrainingDevice } from "../../net/runtime/device.ts";
import type { StoredAs } from "../embeddings/packed-embedding.ts";
import type { SettingName } from "../settings/catalogue.ts";
import type { EmbeddingStorage, EmbeddingsPlace, Setting, WeightsFile } from "../settings/setting.ts";
import type { ExcludedModels } from "../tasks/benchmark.ts";
import type { AnyTask, InputsOf, NameOr } from "../tasks/catalogue.ts";
import type { Recipe } from "../tasks/recipe.ts";
import type { OpenTask } from "../tasks/task.ts";
import type { RowList } from "../tasks/task-rows.ts";
import type { CellRecord } from "./cell.ts";
import type { ControlModel } from "./controls.ts";
import type { CostEstimate } from "./cost.ts";
import type { RunCommand } from "./run-folder.ts";
import { checkShard, type Shard } from "./shard.ts";

/** One task of a run on one data set, with its overrides of the run's request. */
export type RequestedTask<T extends AnyTask = AnyTask> = T extends unknown ? TaskOnData<T> : never;

interface TaskOnData<T extends AnyTask>
  extends Partial<Pick<RunRequest, "settings" | "models">>,
    RequestedRows {
  /** A task's name, or a custom task. */
  readonly task: T;
  readonly inputs: InputsOf<T>;
  /** Overrides per setting, by its name. */
  readonly bySetting?: Readonly<Record<string, RequestedRows>>;
}

/** Rows to evaluate, with their recipe or weights. */
interface RequestedRows extends Partial<Pick<RunRequest, "split" | "limit" | "recipe" | "weights">> {
  /** Maximum number of rows per stratum; rows of other strata are not evaluated. */
  readonly sample?: Readonly<Record<string, number>>;
  /** Models to leave out; the plan has a note. */
  readonly except?: ExcludedModels;
}

/** Request of a run: the product of tasks, models and settings. */
export interface RunRequest<Tasks extends readonly AnyTask[] = readonly AnyTask[]> {
  readonly tasks: { readonly [I in keyof Tasks]: RequestedTask<Tasks[I]> };
  /** Open models, which the caller closes. */
  readonly models: readonly Model[];
  /**
   * Controls of the models, evaluated where a setting supports them; see `openControls`. The caller closes
   * them.
   */
  readonly controls?: readonly ControlModel[];
  /** Names or custom settings; default: the first of each task. */
  readonly settings?: readonly (NameOr<SettingName> | Setting)[];
  /** Default "corrected". */
  readonly protocol?: Protocol;
  /** Seed of the tasks' random numbers (shuffled controls); default 0, as published. */
  readonly seed?: number;
  /**
   * Bases per sequence, for tasks whose windows can be widened; default: the task's window. Part of the
   * cells' identity.
   */
  readonly context?: number;
  /** Default: the task's own split, such as the test chromosomes for Task 1. */
  readonly split?: Split;
  /** Maximum number of rows per task, picked by a digest of the row number; default: all. */
  readonly limit?: number;
  /**
   * Half-width of the 95 % interval of the main metric at which a cell ends, before all rows are scored; a
   * single shard in a folder only. Rows are scored in the order in which `limit` picks them.
   */
  readonly untilWidth?: number;
  /** Overrides of the settings' recipes: `{ epochs: 2 }`. Part of the cells' identity. */
  readonly recipe?: Recipe;
  /**
   * Trained weights to evaluate instead of training: a file, or a folder as `weightsOfCell` reads it, with
   * placeholders for what differs between cells: `heads/{model}/{cell-line}`. The digest is part of the
   * cells' identity.
   */
  readonly weights?: string;
  /**
   * Storage of probing embeddings between epochs, or a folder that runs share; embeddings of evaluated rows
   * are stored there too. Do not share embeddings of models without an identity.
   *
   * "auto" (default): in memory if they take at most 512 MiB and a quarter of the memory; else recomputed in
   * each epoch if that is faster than reading them from a disk; else on disk, in `embeddings` in the run's
   * folder. Results are the same bytes in all cases.
   */
  readonly embeddings?: NameOr<EmbeddingStorage>;
  /**
   * Folder of trained parameters; default: `trained` in the run's folder. Runs may share it and reuse each
   * other's training, except with models without an identity.
   */
  readonly trained?: string;
  /** Folder of the run, created when the run starts; undefined: in memory. */
  readonly folder?: string;
  /**
   * Adds the models to the run that is in the folder: tasks, data, protocol and seed must be those of the
   * run. Default: the folder is new or has the same run.
   */
  readonly extend?: boolean;
  /** Options of the command, recorded in the run's plan.json for models that are added later. */
  readonly command?: RunCommand;
  /** Default 1 of 1. */
  readonly shard?: Shard;
  /** Sequences per call of the model; default: the model's own, halved until it fits in memory. */
  readonly batchSize?: number;
  /**
   * Device of training and of trained networks, as `trainingDevice` selects it; default: the CPU. The device
   * of a model is set when it is opened. The kind of device is part of the identity of cells that train.
   */
  readonly device?: Device;
  /** CPU threads for training; default: one per core. The threads of a model are set when it is opened. */
  readonly threads?: number;
  /**
   * Memory for tables, models and training in bytes, in addition to the process itself; default: the
   * available memory of the system.
   */
  readonly memory?: number;
  /** Leave out settings that a model does not support, with a note, instead of an error; default false. */
  readonly leaveOut?: boolean;
  /**
   * Plans of the same request under the other protocol, run before and closed after this one. Predictions
   * that are equal under both protocols are reused, and the same `tasks` are opened once.
   */
  readonly earlier?: readonly Plan[];
  /**
   * Time a few rows to estimate the duration; default true. "storage": only where the storage of embeddings
   * depends on it.
   */
  readonly timing?: boolean | "storage";
  /**
   * Also time training and clustering in trials of seconds to minutes per setting and model; default false.
   */
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
  /** Trained weights to evaluate instead of training. */
  readonly weights?: WeightsFile;
  /** This shard's rows, in table order. */
  readonly rows: RowList;
  /** Rows of this shard that are done. */
  readonly rowsDone: number;
  /** Rows of this shard that are not done; 0 if it ended at a narrow interval. */
  readonly rowsToDo: number;
  /** Sequences per call. */
  readonly batchSize: number;
  /** Device of training and of trained networks. */
  readonly device: TrainingDevice;
  /** CPU threads of a setting that trains; undefined: one per core. */
  readonly threads?: number | undefined;
  readonly estimate: CostEstimate;
  /** Rows on which a reduced precision is checked, of all shards; absent in float32. */
  readonly checked?: RowList;
  /** Present where the setting stores embeddings. */
  readonly embeddings?: PlannedEmbeddings;
  /** Cell of an earlier plan with the same predictions. */
  readonly reuses?: ReusablePredictions;
}

/** A planned run: made by `planRun`, executed by `runShard`. */
export interface Plan {
  /** SHA-256 over the cells' identities: runs with the same identity share a folder. */
  readonly identity: string;
  readonly folder: string | undefined;
  /** True if the plan adds models to the run in the folder. */
  readonly extend?: boolean;
  readonly command?: RunCommand;
  /** Folder of trained parameters; undefined: discarded after the run. */
  readonly trained: string | undefined;
  readonly shard: Shard;
  readonly cells: readonly PlannedCell[];
  /**
   * Seconds that opening tasks and models and timing rows took, which the run needs again before its first
   * cell.
   */
  readonly openingSeconds: number;
  /** Temporary files of the run. */
  readonly temporary: PlannedTemporary;
  /** Notes for the user: models without an identity, reduced batch sizes, rows outside of all splits. */
  readonly notes: readonly string[];
  /** The open tasks, which a later plan of the same requested tasks shares. */
  readonly opened: ReadonlyMap<RequestedTask, OpenTask>;
  /** Seed of the tasks' random numbers. */
  readonly seed: number;
  /** Closes tasks and genomes that the plan opened; the caller closes the models. */
  close(): Promise<void>;
}

/** Temporary files of a run in one process. */
export interface PlannedTemporary {
  /** `$TMPDIR`. */
  readonly folder: string;
  /** Most bytes at once: tables, which are there when the run is planned, and the largest cell's rows. */
  readonly bytes: number;
}

/** Embeddings that a cell of a plan stores. */
export interface PlannedEmbeddings {
  /** Store on disk; undefined: in memory, for this cell alone; "recompute": no store. */
  readonly place: EmbeddingsPlace | "recompute" | undefined;
  /** Reason for the choice, a clause. */
  readonly because: string;
  /** Absent for a model without a declared width. */
  readonly size?: {
    /** At most: repeated sequences are stored once. */
    readonly sequences: number;
    readonly storedAs: StoredAs | "auto";
    /** In the expected precision: float16 if not decided yet. */
    readonly bytes: number;
    /** In float32 if not decided yet; else equal to `bytes`. */
    readonly maxBytes: number;
  };
}

/** A cell of another run whose predictions are reused. */
export interface ReusablePredictions {
  /** The run's folder. */
  readonly folder: string;
  readonly record: CellRecord;
  /** The cell's folder name. */
  readonly name: string;
}

/**
 * Validates the options of a run.
 * @throws {InputError} naming the option
 */
export function checkRequest(request: RunRequest): void {
  checkUntilWidth(request);
  const { tasks, models, protocol, seed, shard, batchSize, threads, memory } = request;
  if (tasks.length === 0) throw new InputError("no task given");
  if (models.length === 0) throw new InputError("no model given");
  models.forEach(checkModel);
  checkRequestedRows(request);
  tasks.forEach(checkRequestedTask);
  checkOneOf("protocol", protocol, ["paper", "corrected"]);
  if (seed !== undefined && !Number.isSafeInteger(seed)) throw optionError("seed", seed, "a whole number");
  checkCount("batch size", batchSize, "a whole number of sequences, at least 1");
  checkCount("number of threads", threads, "a whole number, at least 1");
  if (memory !== undefined && !(memory > 0)) throw optionError("memory", memory, "a number of bytes");
  if (shard !== undefined) checkShard(shard);
}

function checkRequestedTask({ models, bySetting = {}, ...everywhere }: RequestedTask): void {
  if (models?.length === 0) throw new InputError("a task has an empty list of models");
  models?.forEach(checkModel);
  for (const { sample = {}, ...rest } of [everywhere, ...Object.values(bySetting)]) {
    checkRequestedRows(rest);
    for (const [stratum, most] of Object.entries(sample)) {
      checkCount(`sample of ${stratum}`, most, "a whole number of rows, at least 1");
    }
  }
}

/** Checks options of the run or of one task. */
function checkRequestedRows({
  settings,
  split,
  limit,
}: Pick<RunRequest, "settings" | "split" | "limit">): void {
  if (settings?.length === 0) throw new InputError("the list of settings is empty");
  checkOneOf("split", split, ["train", "val", "test", "all"]);
  checkCount("limit", limit, "a whole number of rows, at least 1");
}

function checkModel(model: Model) {
  if (typeof model?.name !== "string" || model.name.trim() === "") {
    throw new InputError("a model has no name", {
      hint: "a model is an object with `name` and `logLikelihood(sequences)` or `embed(sequences)`",
    });
  }
  const methods = [
    "logLikelihood",
    "embed",
    "predictActivity",
    "forCellLine",
    "tokenCount",
    "memory",
  ] as const;
  for (const method of methods) {
    if (model[method] !== undefined && typeof model[method] !== "function") {
      throw new InputError(`${method} of the model ${JSON.stringify(model.name)} is not a function`);
    }
  }
  checkCount(
    `batchSize of the model ${JSON.stringify(model.name)}`,
    model.batchSize,
    "a whole number, at least 1",
  );
}

function checkOneOf(name: string, value: string | undefined, allowed: readonly string[]) {
  if (value !== undefined && !allowed.includes(value)) throw optionError(name, value, allowed.join(" or "));
}

function checkCount(name: string, value: number | undefined, expected: string) {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) return;
  throw optionError(name, value, expected);
}

const optionError = (name: string, value: unknown, expected: string) =>
  new InputError(`the ${name} is ${JSON.stringify(value)}; expected ${expected}`);

function checkUntilWidth({ untilWidth, shard, folder }: RunRequest): void {
  if (untilWidth === undefined) return;
  if (!(untilWidth > 0 && untilWidth < 1)) {
    throw optionError("width of the interval", untilWidth, "a number between 0 and 1");
  }
  if (folder === undefined) throw new InputError("until-width needs a run folder");
  if (shard !== undefined && shard.count > 1) {
    throw new InputError("until-width needs a run of a single shard", {
      hint: "no shard has the rows of the others; use --limit to shorten a run of several shards",
    });
  }
}
