import type { Model, Protocol } from "../../models/model.ts";
import type { TrainingDevice } from "../../net/runtime/device.ts";
import type { StoredAs } from "../embeddings/packed-embedding.ts";
import type { Prediction } from "../tasks/prediction.ts";
import type { Recipe } from "../tasks/recipe.ts";
import type { OpenTask, StageProgress, Task } from "../tasks/task.ts";
import type { Example } from "../tasks/task-rows.ts";
import type { TrainingRecord } from "./training-record.ts";

/** A file of trained weights that a cell evaluates instead of training. */
export interface WeightsFile {
  readonly file: string;
  readonly sha256: string;
}

/** Storage of the embeddings of training rows between epochs; "auto": chosen by the plan. */
export const EMBEDDING_STORAGES = ["auto", "memory", "disk", "recompute"] as const;
export type EmbeddingStorage = (typeof EMBEDDING_STORAGES)[number];

/** A store of embeddings on disk. */
export interface EmbeddingsPlace {
  /** Undefined: a temporary folder, removed when the cell is done. */
  readonly folder: string | undefined;
  /** Runs share the store: embeddings of evaluated rows, which one run needs once, are stored as well. */
  readonly shared: boolean;
}

/** Embeddings that a cell stores, as an upper bound: repeated sequences are stored once. */
export interface EmbeddingsNeed {
  /** Identity of the training run: cells that share it share its embeddings. */
  readonly training: string | undefined;
  /** Sequences of training and validation rows. */
  readonly sequences: number;
  /** Sequences of each evaluated row, if the store is shared. */
  readonly perEvaluatedRow: number;
  readonly bytesPerSequence: Readonly<Record<StoredAs, number>>;
  /** "auto": float16 if a measurement before training allows it. */
  readonly storedAs: StoredAs | "auto";
  /** Seconds in which the model embeds a sequence, measured on a few training rows. */
  secondsPerSequence(batchSize: number, signal: AbortSignal | undefined): Promise<number>;
}

/** Parameters of a setting for one cell. */
export interface SettingContext {
  readonly task: OpenTask;
  readonly model: Model;
  readonly protocol: Protocol;
  readonly seed: number;
  /** The setting's parameters for the cell; with `weights`, without those that only training reads. */
  readonly recipe: Recipe;
  /** Present if the cell evaluates these weights instead of training. */
  readonly weights?: WeightsFile;
  /** Maximum sequences per call of the model. */
  readonly batchSize: number;
  /** Device of training and of trained networks. */
  readonly device: TrainingDevice;
  /** CPU threads for training and for trained networks. Default: one per core. */
  readonly threads?: number | undefined;
  /** The cell's folder; undefined for a run in memory. */
  readonly folder: string | undefined;
  /** Folder of the run's training runs; undefined for a run in memory. */
  readonly trained: string | undefined;
  /**
   * Store of embeddings; undefined: in memory, for this cell alone; "recompute": no store, recomputed in each
   * epoch.
   */
  readonly embeddings: EmbeddingsPlace | "recompute" | undefined;
  readonly signal: AbortSignal | undefined;
  /** Called with a message for the user. */
  readonly onNote: ((text: string) => void) | undefined;
  /** Called with the progress of `open`. */
  readonly onStage: ((stage: StageProgress) => void) | undefined;
}

/** A model ready to predict rows. */
export interface RowPredictor {
  /** Loss curves, if the setting trained. */
  readonly training?: TrainingRecord;
  /**
   * One prediction per example, in their order.
   *
   * @throws {InputError} naming the row when the model returns too few values or one that is not finite
   */
  predict(examples: readonly Example[]): Promise<readonly Prediction[]>;
  /** Frees what was opened for the predictions; the model stays open. */
  close(): Promise<void>;
}

export interface TrainingMemory {
  readonly bytes: number;
  /** Bytes of the files of a training run. */
  readonly disk: number;
  /** The model is evaluated as well and needs its own memory in addition. */
  readonly usesModel: boolean;
}

/** A procedure that evaluates any model on any task. */
export interface Setting<Name extends string = string> {
  /** Kebab-case, stable: "zero-shot". */
  readonly name: Name;
  readonly title: string;
  /** Description of the setting for the report, one sentence. */
  readonly description?: string;
  /** The authors' names of the setting, where values of it were published. */
  readonly publishedAs?: readonly string[];
  /** True if `open` is cheap, so that planning can time a few rows; false for settings that train. */
  readonly readyAtOnce: boolean;
  /** Present if the setting can evaluate a file of trained weights instead of training. */
  readonly takesWeights?: true;
  /**
   * Present if scores are sums of log-probabilities of tokens, which `positions.json` lists for some rows.
   */
  readonly sumsTokens?: true;
  /**
   * Present if the training device computes everything, embeddings included. Default: the model runs on its
   * own device.
   */
  readonly onTrainingDevice?: true;
  /** Reason why this setting cannot evaluate the model on the task, one sentence; undefined if it can. */
  unsupportedReason(task: Task, model: Model, protocol: Protocol): string | undefined;
  /**
   * True if predictions are the same under both protocols, so that only metrics differ. Default: they are
   * not.
   */
  sameUnderBothProtocols?(task: Task): boolean;
  /** Query of the model, if the setting evaluates one that is not a likelihood, for estimates of memory. */
  readonly query?: "embedding";
  /** Sequences per row that the model processes. */
  sequencesPerRow(task: Task): number;
  /**
   * Memory for training and for inference with the trained network, estimated without reading weights, and
   * without the memory of a CUDA GPU; undefined if unknown. Absent if the setting trains nothing.
   *
   * @param rows  evaluated rows per call
   */
  trainingMemory?(
    context: Pick<SettingContext, "task" | "model" | "recipe" | "weights" | "device">,
    rows: number,
  ): Promise<TrainingMemory | undefined>;
  /** Embeddings that a cell stores; undefined if the model does not declare their size. */
  embeddingsNeed?(
    context: Pick<SettingContext, "task" | "model" | "protocol" | "seed" | "recipe" | "weights" | "device">,
  ): Promise<EmbeddingsNeed | undefined>;
  /** @throws {InputError} when values of the recipe, each of the right type, are invalid */
  checkRecipe?(recipe: Recipe): void;
  /** Prepares predictions: trains or loads a network, or does nothing for zero-shot. */
  open(context: SettingContext): Promise<RowPredictor>;
}
