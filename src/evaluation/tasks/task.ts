import type { Signal } from "../../dna/genome/bigwig.ts";
import type { Split } from "../../dna/genome/chromosome-split.ts";
import type { Genome } from "../../dna/genome/genome.ts";
import type { BlockStatistic, Blocks } from "../../metrics/blocks.ts";
import type { Protocol } from "../../models/model.ts";
import type { TaskBenchmark } from "./benchmark.ts";
import type { Measurement } from "./measurement.ts";
import type { Prediction, Predictions, RowFacts } from "./prediction.ts";
import type { Recipe, RecipeTable } from "./recipe.ts";
import type { RowView } from "./row-view.ts";
import type { TaskStratification } from "./stratification.ts";
import type { Example, RowNumbers, SelectedRows, Selection, SequenceFile } from "./task-rows.ts";

/** Value of one input: a path or a name, or an object already open (a genome, a signal, a table's rows). */
export type TaskInput = string | Genome | Signal | readonly object[];
/** Inputs of a task by name. */
export type TaskInputs = Readonly<Record<string, TaskInput | undefined>>;

/** Description of one input of a task; `dart-eval run` has an option `--<name>` for it. */
export interface InputForm {
  /** Key in `TaskInputs`: "genome", "elements". */
  readonly name: string;
  /** A file or its contents (default), or a short text such as the name of a data set. */
  readonly kind?: "file" | "text";
  /** Noun phrase for help texts and error messages. */
  readonly description: string;
  readonly optional?: true;
  /** Present if the input only annotates rows: sequences, labels and scores do not depend on it. */
  readonly annotation?: true;
}

/** Options of `Task.open`. */
export interface OpenOptions {
  /** Seed of the task's random numbers. */
  readonly seed: number;
  /**
   * Bases per sequence instead of `Task.window`, for a task that `widens`: wider by an even number. Labels,
   * counted reads and shuffled parts stay those of the task's window, and only the flanks grow.
   */
  readonly context?: number;
}

/** A task with its inputs open. Made by `Task.open`. */
export interface OpenTask<Row extends RowFacts = RowFacts> {
  readonly task: Task;
  /** SHA-256 by input name, of every input that scores depend on. */
  readonly digests: Readonly<Record<string, string>>;
  /**
   * Name of the data set if a task has several: a cell line, a study. Part of a run's identity and of its
   * titles.
   */
  readonly dataset?: string;
  /** Cell line whose chromatin activity is predicted. */
  readonly cellLine?: string;
  /** Bases per sequence if they are more than the benchmark's; `task.window` is then this number. */
  readonly context?: number;
  /** Findings of opening the inputs that a user should know before a run. */
  readonly notes?: readonly string[];
  /** The task whose rows train, if this one has no training rows; closed with this one. */
  readonly training?: OpenTask;
  /**
   * @throws {InputError} when the table does not fit another input, such as a chromosome that the genome
   * lacks
   */
  select(selection: Selection): SelectedRows;
  /**
   * Examples of some rows, in the order given; cheap enough to be called in blocks.
   * @param options  `bases: false` if only facts are needed: sequences may then be empty
   */
  examples(rows: RowNumbers, options?: { readonly bases: boolean }): Promise<readonly Example<Row>[]>;
  /** The stratum of a row; undefined for rows that no metric counts. */
  stratumOf?(row: number): string | undefined;
  /** One list for all members; absent if each member has a list with the rows of the table in order. */
  readonly sequenceFile?: SequenceFile;
  /** Closes the inputs that the task opened itself. */
  close(): Promise<void>;
}

/** Environment of a long-running measurement. */
export interface MeasureWork {
  /** The cell's folder, for intermediate results; undefined for a run in memory. */
  readonly folder?: string | undefined;
  /** Present if intermediate results are read but not written. */
  readonly readOnly?: true;
  /** Aborting rejects the measurement with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Progress of a long measurement. */
  readonly onStage?: ((stage: StageProgress) => void) | undefined;
}

/** Parameters of `measure` in addition to the predictions. */
export interface MeasureContext {
  readonly protocol: Protocol;
  readonly seed: number;
  /** Rows in the whole table, every chromosome. */
  readonly rowsInTable: number;
  readonly recipe: Recipe;
  /** Relative rounding error of the scores, within which they tie under `corrected`; default 0. */
  readonly scoreRounding?: number;
  readonly work?: MeasureWork;
}

/**
 * The main metric as a function of blocks of rows, for the comparison of models on the same rows. Blocks
 * depend on the rows alone, so that two models have the same ones.
 */
export interface MainStatistic<MetricName extends string = string> {
  /** Name of the metric in the measurement. */
  readonly metric: MetricName;
  readonly blocks: Blocks;
  /** Its value with every block counted once is the metric's; blocks may be counted 0 times or once. */
  readonly statistic: BlockStatistic;
  /** For a share: outcomes in [0, 1] whose mean is the metric. [rows] */
  readonly outcomes?: ArrayLike<number>;
  /** Range of the metric, which selects the scale of its interval; see `blockEstimate`. */
  readonly range?: readonly [least: number, most: number];
}

/** Layout of a table of scores: tab-separated, one header line. */
export interface ScoreTable<Row extends RowFacts = RowFacts> {
  readonly columns: readonly string[];
  /** Cells of one prediction's line. */
  line(prediction: Prediction<Row>): readonly (string | number)[];
}

/** A row's number and facts, without its sequences. */
export type LabelledRow<Row extends RowFacts = RowFacts> = Pick<Example<Row>, "row" | "facts">;

interface SupervisionBase<Row extends RowFacts> {
  /** Label of each member of a row, in the order of `Task.members`: a class from 0, or a number. */
  labels(example: LabelledRow<Row>): readonly number[];
  /**
   * Columns of `train.log` after `epoch`, from predictions of the validation rows in row order; includes
   * `val_loss`.
   */
  validate(
    predictions: readonly Prediction<Row>[],
    context: MeasureContext,
  ): Readonly<Record<string, number>>;
  /**
   * Rows of an epoch, in training order. Default: all rows in the recipe's order. A function of the arguments
   * alone, so that an interrupted training run resumes bit-identically.
   *
   * @param rows   the training rows, in row order
   * @param epoch  0-based
   * @returns      0-based indices into `rows`
   */
  rowsOfEpoch?(rows: readonly LabelledRow<Row>[], epoch: number, recipe: Recipe): Int32Array;
  /** Names of recipe values that only `rowsOfEpoch` and `validate` read. */
  readonly epochRecipe?: readonly string[];
}

/** Classification: each member has one of `classes` labels; the loss is the cross-entropy. */
export interface ClassSupervision<Row extends RowFacts = RowFacts> extends SupervisionBase<Row> {
  readonly loss: "cross-entropy";
  readonly classes: number;
}

/**
 * Regression: a network with one output predicts each member's number; the loss is the mean squared error.
 */
export interface ValueSupervision<Row extends RowFacts = RowFacts> extends SupervisionBase<Row> {
  readonly loss: "squared-error";
}

/** Labels and validation of a task's training rows. */
export type Supervision<Row extends RowFacts = RowFacts> = ClassSupervision<Row> | ValueSupervision<Row>;

/** A task's parameters in one setting. */
export interface TaskSetting<Row extends RowFacts = RowFacts, MetricName extends string = string>
  extends RecipeTable {
  readonly defaultSplit: Split;
  /** Name of the part of the rows that this setting evaluates. Default: all rows. */
  readonly part?: string;
  /** Name of the network that the benchmark trains in this setting: the control of settings that train. */
  readonly network?: string;
  /** Present if the setting trains with rows of this task. */
  readonly supervision?: Supervision<Row>;
  /** Name of the task whose rows train, if it is another. */
  readonly trainedBy?: string;
  /** @throws {InputError} when a value that only `measure` reads is invalid */
  checkRecipe?(recipe: Recipe): void;
  /** Present if the measurement is slow and needs all rows; single shards are then not measured. */
  readonly measuredWhole?: true;
  /**
   * Seconds of the measurement on this machine, from a trial; absent if it is fast.
   *
   * @param rows      number of predictions
   * @param examples  predictions of a few rows
   * @param pause     awaited between steps; an error it throws ends the trial
   */
  measuringSeconds?(
    rows: number,
    examples: readonly Prediction<Row>[],
    { recipe, pause }: { readonly recipe: Recipe; readonly pause: () => Promise<void> },
  ): Promise<number>;
  /** Numbers per row that the measurement sorts in temporary files, for plans; default 0. */
  readonly sortedNumbers?: number;
  /** Metrics of this setting's predictions. Default: the task's `measure`. */
  measure?(
    predictions: Predictions<Row>,
    context: MeasureContext,
  ): Measurement<MetricName> | Promise<Measurement<MetricName>>;
  /** Main metric of `measure` over blocks of rows; absent: models are not compared by it. */
  mainStatistic?(
    predictions: Predictions<Row>,
    context: MeasureContext,
  ): MainStatistic<MetricName> | Promise<MainStatistic<MetricName>>;
  /** Layout of this setting's scores. Default: the task's. */
  readonly scores?: ScoreTable<Row>;
  /**
   * Base name of a file with the original's keys alone: `eval` for `eval_test.json`. Default: no such file.
   */
  readonly publishedFile?: string;
  /** A table of the original, made from the measurement; `name` is the file's. */
  readonly publishedTable?: { readonly name: string; text(measurement: Measurement): string };
}

/**
 * Union of an object's keys. `keyof Inputs` itself makes `Task` contravariant in `Inputs` for TypeScript 5,
 * so that no custom task is a `Task`.
 */
type NameOf<Inputs> = keyof Inputs extends infer Name extends string ? Name : never;

/**
 * A benchmark task: its inputs, rows, recipes and metrics. It names no model.
 *
 * `Row` is the type of a row's facts, which `OpenTask.examples` gives and `measure` reads from each
 * prediction; `Inputs` the type of what `open` takes. Lists of tasks hold `Task` without arguments, the type
 * of any task.
 */
export interface Task<
  Row extends RowFacts = RowFacts,
  Inputs extends TaskInputs = TaskInputs,
  Name extends string = string,
  MetricName extends string = string,
> {
  /** Kebab-case, stable: "regulatory-elements". */
  readonly name: Name;
  /** 1 to 5 in the benchmark's paper; absent for custom tasks. */
  readonly number?: number;
  /** Version, raised by changes after which the same inputs give other sequences, facts or metrics. */
  readonly version: number;
  readonly title: string;
  /** The task's question, one sentence. */
  readonly question: string;
  /** Origin of question and data. */
  readonly source: string;
  /** Bases per sequence. */
  readonly window: number;
  /** Present if windows come from a genome and can be widened on both sides: `open` takes `context`. */
  readonly widens?: true;
  /** Names of the sequences of one row: ["element", "control"]. */
  readonly members: readonly string[];
  readonly inputs: readonly (InputForm & { readonly name: NameOf<Inputs> })[];
  /** Kinds of rows of which a sample needs enough each, such as significant variants and controls. */
  readonly strata?: readonly string[];
  /** Descriptions of the facts of a row, in the order of exported columns. */
  readonly facts?: { readonly [Name in keyof Row]-?: string };
  /** Properties of rows by which results are split, most useful first; others may be named by a user. */
  readonly stratifications?: readonly TaskStratification<Row>[];
  /** By the setting's name, the default of a run first; other settings do not apply to this task. */
  readonly settings: Readonly<Record<string, TaskSetting<Row, MetricName>>>;
  /** Custom tasks that settings name in `trainedBy`; tasks of the catalogue need no entry. */
  readonly trainingTasks?: readonly Task[];
  /**
   * Opens and checks the inputs.
   *
   * @throws {InputError} when an input is missing, cannot be read, or does not fit the others, or the windows
   *   cannot be widened
   */
  open(inputs: Inputs, options: OpenOptions): Promise<OpenTask<Row>>;
  /** Metrics of predictions in row order. Needs no input, so that merging works on any machine. */
  measure(predictions: Predictions<Row>, context: MeasureContext): Measurement<MetricName>;
  /** Main metric of `measure` over blocks of rows; absent: models are not compared by it. */
  mainStatistic?(predictions: Predictions<Row>, context: MeasureContext): MainStatistic<MetricName>;
  /** Rows for figures and the row explorer of a report; absent: reports have neither. */
  viewRows?(predictions: Predictions<Row>, context: MeasureContext): RowView | Promise<RowView>;
  readonly scores: ScoreTable<Row>;
  /** Suites, published values and paper tables; absent for a task outside of benchmarks. */
  readonly benchmark?: TaskBenchmark;
}

/** Progress of a long-running stage other than scoring (training, clustering). */
export interface StageProgress {
  /** Label, the same throughout the stage: "embedding the training rows", "training, epoch 3 of 150". */
  readonly stage: string;
  /** Phase of training. */
  readonly phase?: "preparing" | "training" | "validating";
  /** Unit of `done` and `total`; default rows. */
  readonly unit?: "rows" | "clusterings";
  readonly done: number;
  readonly total: number;
  /** Speed in units per second. */
  readonly rowsPerSecond: number | undefined;
  /** Seconds to the end of training, or of this stage if nothing is trained; undefined until known. */
  readonly secondsLeft: number | undefined;
  /** A message to print once, such as the losses of an epoch. */
  readonly note?: string;
}
