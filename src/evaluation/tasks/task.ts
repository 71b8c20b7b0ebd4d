import type { Signal } from "../../dna/genome/bigwig.ts";
import type { Split } from "../../dna/genome/chromosome-split.ts";
import type { Genome } from "../../dna/genome/genome.ts";
import type { Protocol } from "../../models/model.ts";
import type { TaskBenchmark } from "./benchmark.ts";
import type { Measurement } from "./measurement.ts";
import type { Prediction, Predictions, RowFacts } from "./prediction.ts";
import type { Recipe } from "./recipe.ts";

/** What a task reads: a path or a name as a user types it, or a thing already open (a genome, a signal, a table's rows). */
export type TaskInput = string | Genome | Signal | readonly object[];
export type TaskInputs = Readonly<Record<string, TaskInput | undefined>>;

/** One thing a task must be given; `dart-eval run` makes an option `--<name>` of it. */
export interface InputForm {
  /** The key in `TaskInputs`: "genome", "elements". */
  readonly name: string;
  /** A file, or its contents already read; or a few words: the name of a data set. A file where it is absent. */
  readonly kind?: "file" | "text";
  /** What to give, in a few words, for help texts and refusals. */
  readonly what: string;
  /** The task can do without it. */
  readonly optional?: true;
  /** It describes rows, and no sequence, label or score depends on it. */
  readonly annotation?: true;
}

/** Rows by their numbers: 0-based places in the whole table, before any selection, which are the rows' identities. */
export type RowNumbers = Uint32Array;

/** A row as a model sees it. */
export interface Example {
  readonly row: number;
  /** Upper-case A, C, G, T; one per member of the task, in the order of `Task.members`. */
  readonly sequences: readonly string[];
  /**
   * Where a position of a member holds no base (N, or off the chromosome): the members as codes, 0 A, 1 C, 2 G, 3 T, 4 no
   * base. Absent where the letters say it all.
   */
  readonly codes?: readonly Uint8Array[];
  /** False where the members do not stand side by side, base by base, as with an insertion in one of them. */
  readonly aligned?: false;
  readonly facts: RowFacts;
}

/** What rows are wanted for: a task may answer other rows than it trains with. */
export type Purpose = "train" | "validate" | "answer";

/** Which of the table's rows are asked for. */
export interface Selection {
  readonly split: Split;
  readonly purpose: Purpose;
  /** Name of a part of the rows, known to the task, where a setting asks for this part alone. */
  readonly part?: string;
  /** At most this many rows, picked by a digest of their number so that any machine picks the same; null: all. */
  readonly limit: number | null;
}

/** Rows of a selection, in table order, and what a refusal or a metric needs to know of the rest. */
export interface SelectedRows {
  readonly rows: RowNumbers;
  /** Rows in the whole table, every chromosome. */
  readonly inTable: number;
  /** Rows per chromosome in the whole table. */
  readonly perChromosome: ReadonlyMap<string, number>;
  /** Bytes that asking for these rows' letters keeps in memory: chromosomes. */
  readonly memory: number;
  /** Number of the first row of each table, ascending, where a task numbers the rows of several one after the other. */
  readonly tables?: readonly number[];
}

/** A sequence of a row, by its place. */
export interface PlacedSequence {
  readonly letters: string;
  readonly row: number;
  /** Which of the row's sequences, 0-based. */
  readonly member: number;
}

/** The list of sequences, in order, that the original embedded batch by batch. */
export interface SequenceFile {
  /** How many there are. */
  readonly lines: number;
  /** Place of a row's member in the list, from 0; members of several rows may be one and the same. */
  lineOf(row: number, member: number): number;
  /** What stands at some places; one that several rows share goes by the first of them. */
  at(lines: readonly number[]): Promise<readonly PlacedSequence[]>;
  /**
   * The batch of `size` sequences that a place was in: its first place, and the one after its last. Absent where the list was
   * cut as it lies; it was not where a list of several tables had each cut by itself, or lacks rows that stood in it.
   */
  batchOf?(line: number, size: number): readonly [from: number, to: number];
}

/** A task with its data at hand. Made by `Task.open`. */
export interface OpenTask {
  readonly task: Task;
  /** SHA-256 by input name: whatever can change an answer. */
  readonly digests: Readonly<Record<string, string>>;
  /** The name of the data set where a task has several: a cell line, a study. Part of a run's identity and of its titles. */
  readonly dataset?: string;
  /** The cell line whose chromatin activity is predicted, where the task names one. */
  readonly cellLine?: string;
  /** What was found out when the inputs were opened and a user should know before a run. */
  readonly notes?: readonly string[];
  /** The task whose rows train, where this one has none of its own that do; closed with this one. */
  readonly training?: OpenTask;
  /** @throws {InputError} when the table and another input do not fit together, as a chromosome that the genome lacks */
  select(selection: Selection): SelectedRows;
  /**
   * Some rows of a selection as a model sees them, in the order given. Cheap enough to be asked in blocks.
   * @param options  `letters: false` where only facts are needed: sequences may then be empty texts
   */
  examples(rows: RowNumbers, options?: { readonly letters: boolean }): Promise<readonly Example[]>;
  /** Which of the task's strata a row is of; undefined for rows that no metric counts. */
  stratumOf?(row: number): string | undefined;
  /** One list for all members; absent where each member has a list of its own with the rows of the table in turn. */
  readonly sequenceFile?: SequenceFile;
  close(): Promise<void>;
}

/** What measuring that takes long is given beside. */
export interface MeasureWork {
  /** The cell's folder, where what is finished may be kept; undefined for a run in memory. */
  readonly folder?: string | undefined;
  /** Measuring ends with its reason. */
  readonly signal?: AbortSignal | undefined;
  readonly onStage?: ((stage: StageProgress) => void) | undefined;
}

/** What `measure` may know beside the predictions. */
export interface MeasureContext {
  readonly protocol: Protocol;
  readonly seed: number;
  /** Rows in the whole table, every chromosome. */
  readonly rowsInTable: number;
  readonly recipe: Recipe;
  /** Rounding of the scores relative to their size, within which they are ties under `corrected`; absent: 0. */
  readonly scoreRounding?: number;
  readonly work?: MeasureWork;
}

/** A table of scores for people and other programs: tab-separated, one header line. */
export interface ScoreTable {
  readonly columns: readonly string[];
  /** One line of cells per prediction. */
  line(prediction: Prediction): readonly (string | number)[];
}

/** What is known of a row that trains, beside its sequences. */
export type LabelledRow = Pick<Example, "row" | "facts">;

interface SupervisionBase {
  /** What is to be learned of each member of a row, in the order of `Task.members`: a class, from 0, or a number. */
  labels(example: LabelledRow): readonly number[];
  /** Columns of `train.log` after `epoch`, from answers to the validation rows in row order; `val_loss` is among them. */
  validate(predictions: readonly Prediction[], context: MeasureContext): Readonly<Record<string, number>>;
  /**
   * The rows that an epoch sees, in the order in which it sees them, where a task decides that by itself; all rows in the
   * recipe's order where it is absent. It must depend on what it is given alone, so that a killed training goes on alike.
   *
   * @param rows   the training rows, in row order
   * @param epoch  0-based
   * @returns      0-based places among the rows
   */
  rowsOfEpoch?(rows: readonly LabelledRow[], epoch: number, recipe: Recipe): Int32Array;
  /** Names of recipe values that only `rowsOfEpoch` and `validate` read. */
  readonly epochRecipe?: readonly string[];
}

/** Each member is of one of some classes; the loss is the cross-entropy. */
export interface ClassSupervision extends SupervisionBase {
  readonly loss: "cross-entropy";
  readonly classes: number;
}

/** Each member has a number, which a network of one output predicts; the loss is the mean squared error. */
export interface ValueSupervision extends SupervisionBase {
  readonly loss: "squared-error";
}

/** What a setting that trains must know of a task. */
export type Supervision = ClassSupervision | ValueSupervision;

/** How one task asks in one setting; what differs per setting is data. */
export interface TaskSetting {
  /** The setting's parameters for this task: part of a run's identity. */
  readonly recipe: Recipe;
  /** What a protocol has of its own. */
  readonly byProtocol?: Readonly<Partial<Record<Protocol, Recipe>>>;
  /** What a family of models has of its own, by the family's name. */
  readonly byFamily?: Readonly<Record<string, Recipe>>;
  readonly defaultSplit: Split;
  /** The part of the rows that this setting asks for, by a name that the task knows; all where it is absent. */
  readonly part?: string;
  /** Present where the setting trains with rows of this task. */
  readonly supervision?: Supervision;
  /** Name of the task whose rows train, where it is another: its exceptions for families of models hold here too. */
  readonly trainedBy?: string;
  /** @throws {InputError} when a value that only `measure` reads is not possible */
  checkRecipe?(recipe: Recipe): void;
  /** Measuring takes long and tells little of a part of the rows: shards are not measured by themselves. */
  readonly measuredWhole?: true;
  /** What this setting's answers are worth, where it is not the task's own `measure`; a promise where that takes long. */
  measure?(predictions: Predictions, context: MeasureContext): Measurement | Promise<Measurement>;
  /** The table of this setting's scores, where it is not the task's own. */
  readonly scores?: ScoreTable;
  /** Name, without ending, of a file for the original's keys alone, `eval` for `eval_test.json`; none where it is absent. */
  readonly publishedFile?: string;
  /** A table of the original's that is made of the measurement, where there is one; `name` is the file's. */
  readonly publishedTable?: { readonly name: string; text(measurement: Measurement): string };
}

/** A task is a form: what is asked, of which rows, and what the answers are worth. It names no model. */
export interface Task {
  /** Kebab-case, stable: "regulatory-elements". */
  readonly name: string;
  /** 1-5 in the benchmark's paper; absent for a user's own task. */
  readonly number?: number;
  /** Raised whenever the same inputs would give other sequences, facts or metrics. */
  readonly version: number;
  readonly title: string;
  /** The question, one sentence. */
  readonly asks: string;
  /** Where the question and its data come from. */
  readonly source: string;
  /** Letters per sequence. */
  readonly window: number;
  /** Names of the sequences of one row: ["element", "control"]. */
  readonly members: readonly string[];
  readonly inputs: readonly InputForm[];
  /** Kinds of rows, where a sample is to have enough of each: significant or not. */
  readonly strata?: readonly string[];
  /** By setting's name; a setting that is absent does not apply to this task. */
  readonly settings: Readonly<Record<string, TaskSetting>>;
  /**
   * Opens and checks the inputs.
   *
   * @throws {InputError} when an input is missing, cannot be read, or does not fit the others
   */
  open(inputs: TaskInputs, options: { readonly seed: number }): Promise<OpenTask>;
  /** Metrics of predictions given in row order. Needs no input: merging can be done anywhere. */
  measure(predictions: Predictions, context: MeasureContext): Measurement;
  readonly scores: ScoreTable;
  /** Suites, published values and paper tables; absent for a task outside of benchmarks. */
  readonly benchmark?: TaskBenchmark;
}

/** How far work is that takes long beside the answering of rows: training, clustering. */
export interface StageProgress {
  /** In words, the same while the stage lasts: "embedding the training rows", "training, epoch 3 of 150". */
  readonly stage: string;
  /** Which part of training, where something is trained. */
  readonly phase?: "keeping" | "training" | "validating";
  /** What is counted; rows where it is absent. */
  readonly unit?: "rows" | "clusterings";
  readonly done: number;
  readonly total: number;
  /** Of whatever is counted. */
  readonly rowsPerSecond: number | undefined;
  /** To the end of all training, or of this stage where nothing is trained; undefined until it is known. */
  readonly secondsLeft: number | undefined;
  /** Something to be told once, such as the losses of an epoch. */
  readonly note?: string;
}
