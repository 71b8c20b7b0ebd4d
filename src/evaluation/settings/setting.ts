import type { Model, Protocol } from "../../models/model.ts";
import type { StoredAs } from "../embeddings/packed-embedding.ts";
import type { Prediction } from "../tasks/prediction.ts";
import type { Recipe } from "../tasks/recipe.ts";
import type { Example, OpenTask, StageProgress, Task } from "../tasks/task.ts";
import type { TrainingRecord } from "./training-record.ts";

/** A file of trained weights that a cell evaluates in place of training. */
export interface WeightsFile {
  readonly file: string;
  readonly sha256: string;
}

/** A store of embeddings on disk. */
export interface EmbeddingsPlace {
  /** Undefined: a temporary folder, removed when the cell is done. */
  readonly folder: string | undefined;
  /** Runs share it: embeddings of evaluated rows, which one run needs once, are stored as well. */
  readonly shared: boolean;
}

/** Embeddings that a cell stores, at most: repeated sequences are stored once. */
export interface EmbeddingsNeed {
  /** Identity of the training run: cells that share it share its embeddings. */
  readonly training: string | undefined;
  /** Of training and validation rows. */
  readonly sequences: number;
  /** Of each evaluated row, where the store is shared. */
  readonly perEvaluatedRow: number;
  readonly bytesPerSequence: Readonly<Record<StoredAs, number>>;
  /** "auto": float16 where a measurement before training allows it. */
  readonly storedAs: StoredAs | "auto";
}

/** What a setting is given when a cell starts. */
export interface SettingContext {
  readonly task: OpenTask;
  readonly model: Model;
  readonly protocol: Protocol;
  readonly seed: number;
  /** With `weights`, without the values that only training reads. */
  readonly recipe: Recipe;
  /** Present where the cell evaluates these weights and trains nothing. */
  readonly weights?: WeightsFile;
  /** Sequences per call of the model at most. */
  readonly batchSize: number;
  /** CPU threads for training, and for what was trained; one per core where it is absent. */
  readonly threads?: number | undefined;
  /** The cell's folder; undefined for a run in memory. */
  readonly folder: string | undefined;
  /** The folder of what the run's cells train; undefined for a run in memory. */
  readonly trained: string | undefined;
  /** Where embeddings of sequences are stored; undefined: in memory, for this cell alone. */
  readonly embeddings: EmbeddingsPlace | undefined;
  readonly signal: AbortSignal | undefined;
  /** Told something that a user should know once. */
  readonly onNote: ((text: string) => void) | undefined;
  /** Told while `open` works. */
  readonly onStage: ((stage: StageProgress) => void) | undefined;
}

/** A model made ready to answer rows. */
export interface RowPredictor {
  /** Loss curves, where the setting trained. */
  readonly training?: TrainingRecord;
  /**
   * One prediction per example, in their order.
   *
   * @throws {InputError} naming the row when the model gives back too few values or one that is not finite
   */
  answer(examples: readonly Example[]): Promise<readonly Prediction[]>;
  close(): Promise<void>;
}

export interface TrainingMemory {
  readonly bytes: number;
  /** The model is asked as well, and takes what it says it takes beside this. */
  readonly asksModel: boolean;
}

/** How a model answers: a procedure that names no task and no model. */
export interface Setting<Name extends string = string> {
  /** Kebab-case, stable: "zero-shot". */
  readonly name: Name;
  readonly title: string;
  /** Description of the setting for the report, one sentence. */
  readonly description?: string;
  /** The authors' names of the setting, where values of it were published. */
  readonly publishedAs?: readonly string[];
  /** `open` costs little, so that a few rows may be timed while a run is planned; false where it trains. */
  readonly readyAtOnce: boolean;
  /** Can evaluate a file of trained weights instead of training. */
  readonly takesWeights?: true;
  /** Where all of it is computed, whatever the device of the model; on that one where it is absent. */
  readonly computedOn?: "cpu";
  /** Why this model cannot answer this task in this way, one sentence; undefined when it can. */
  refuses(task: Task, model: Model, protocol: Protocol): string | undefined;
  /**
   * Whether the answers to a row are the same under both protocols, which then differ in what is counted alone; absent: they
   * are not.
   */
  sameUnderBothProtocols?(task: Task): boolean;
  /** Sequences that one row brings to the model. */
  sequencesPerRow(task: Task): number;
  /**
   * Bytes that training takes, and answering with what was trained; absent where nothing is trained, undefined where it cannot
   * be told. Weights are not read for it.
   */
  trainingMemory?(
    context: Pick<SettingContext, "task" | "model" | "recipe" | "weights">,
  ): Promise<TrainingMemory | undefined>;
  /** Embeddings that a cell stores; undefined where the model does not declare their size. */
  embeddingsNeed?(
    context: Pick<SettingContext, "task" | "model" | "protocol" | "seed" | "recipe" | "weights">,
  ): Promise<EmbeddingsNeed | undefined>;
  /** @throws {InputError} when a recipe's values, each of the right kind, are not possible */
  checkRecipe?(recipe: Recipe): void;
  /** Ready to answer: nothing to do for zero-shot, training or loading a head for others. */
  open(context: SettingContext): Promise<RowPredictor>;
}
