import type { PartPlace } from "../../models/training/fine-tuning.ts";
import type { NdArray } from "../../net/arrays/array.ts";
import { peakValues } from "../../net/graph/peak-values.ts";
import type { Sym } from "../../net/graph/sym.ts";
import type { ParameterSource } from "../../net/runtime/program.ts";
import type { Feeds } from "../../net/train/batches.ts";
import { stepBytes } from "../../net/train/train-step.ts";
import type { Example, LabelledRow, RowNumbers, Supervision } from "../tasks/task.ts";
import { lossOf } from "./supervision.ts";
import type { TrainingRecipe } from "./training-recipe.ts";
import type { StorageDecision, TrainingRecord } from "./training-record.ts";
import type { TrainingRows } from "./training-rows.ts";

/** What a setting trains: the graph of a network, and how rows of a task become its inputs. */
export interface Learner {
  /** [b, outputs], b being the sequences of some rows, member after member of each. */
  readonly output: Sym;
  /** The same for a training step, where dropout or the like makes it another graph. */
  readonly trainingOutput?: Sym;
  /** Of trained parameters those that a batch may pass by, and whether it came to them: as of a training step. */
  readonly reached?: ReadonlyMap<string, Sym>;
  /** Values to begin with, of every parameter that is trained. */
  readonly initial: ReadonlyMap<string, NdArray>;
  /** The other parameters. */
  readonly frozen: ReadonlyMap<string, ParameterSource>;
  /** Inputs of the graph for rows of the task that is answered, as they come. */
  feeds(examples: readonly Example[]): Promise<Feeds>;
  /**
   * Rows of the task that is answered where they are read otherwise than those that train: their sequences in parts, each with
   * a graph of the same parameters. Absent: with `output` and `feeds`.
   */
  readonly answer?: ((examples: readonly Example[]) => Promise<readonly InferencePart[]>) | undefined;
  /**
   * Decides before training, and writes to its folder, how embeddings are stored; absent where nothing is decided.
   * @returns  undefined where the recipe says it
   */
  decideStorage?(rows: TrainingRows, training: string): Promise<StorageDecision | undefined>;
  /** Evaluates as this training run stored its embeddings. */
  adopt?(record: TrainingRecord): void;
  /** What making rows ready is, in a word: "embedding". */
  readonly keeping: string;
  /**
   * Rows of the task that trains, made ready to be fed again and again, in any order.
   * @param tell  how many of them are ready
   */
  keep(rows: RowNumbers, tell: (done: number) => void): Promise<KeptRows>;
  /** Tokens of a sequence, where the graph leaves them open: what memory is reckoned with. */
  readonly tokens?: number;
  /** Where the members of a batch are run one after the other; where it is absent they are run together. */
  readonly parting?: Parting;
  /**
   * Reads trained values from a file: one of a run, or a `checkpoint_N.pt` of the original.
   * @throws {FormatError} when its tensors are not those of this network
   */
  load(file: string): Promise<ReadonlyMap<string, NdArray>>;
  /** Writes what was trained in a form that other programs know, where there is one. */
  export?(folder: string, trained: ReadonlyMap<string, NdArray>): Promise<void>;
  close(): Promise<void>;
}

/** Some of the sequences of rows that are answered. */
export interface InferencePart {
  /** [b, outputs] */
  readonly output: Sym;
  /** Their places among the sequences of the rows, member after member of each. */
  readonly sequences: readonly number[];
  readonly feeds: Feeds;
}

/**
 * A batch is run in parts, each of one member of some of its rows: the same sums, but dropout, which is drawn for each member
 * by itself, as the original does by running the members' batches one after the other.
 */
export interface Parting {
  /** Inputs that a part has beside those of its rows: dropout masks. */
  feeds(place: PartPlace, rows: Feeds): Feeds;
}

/** Rows that can be fed in any order, without their sequences being made anew. */
export interface KeptRows {
  /** Of each row, without sequences: what its label and its metrics depend on. */
  readonly examples: readonly KeptExample[];
  /**
   * Inputs of the graph for some rows, by their 0-based places.
   * @param member  the one that is wanted, of a learner whose batches are parted; else all, member after member of each row
   */
  feeds(places: Int32Array, member?: number): Promise<Feeds>;
}

export type KeptExample = LabelledRow & { readonly labels: readonly number[] };

/** What is alive at once of a run may take so much: more rows together are not faster. */
const RUN_BYTES = 2e9;

const MANY = 1024;

/** Bytes beside what graphs and weights take: buffers of the runtime, batches read ahead. */
const BESIDE = 200e6;

type Sized = Pick<Learner, "output" | "trainingOutput" | "initial" | "tokens" | "parting">;

type BatchSizes = Pick<TrainingRecipe, "batchSize" | "evaluationBatchSize">;

/** Rows, all members of each, that a learner evaluates at once. It follows from the graph alone. */
export const evaluationRows = (learner: Pick<Sized, "output" | "tokens">, members: number): number =>
  fitting(untrainedBytes(learner, members));

/** Bytes that evaluating trained weights takes beside the frozen ones. */
export const inferenceBytes = (
  learner: Pick<Sized, "output" | "tokens">,
  members: number,
  evaluationBatchSize: number,
): number =>
  BESIDE + untrainedBytes(learner, members)(Math.min(evaluationBatchSize, evaluationRows(learner, members)));

/** A few rows take less than what does not grow with them, so the growth is that of many. */
function fitting(bytes: (rows: number) => number): number {
  const perRow = Math.max(1, (bytes(2 * MANY) - bytes(MANY)) / MANY);
  return Math.max(1, Math.floor((RUN_BYTES - bytes(MANY)) / perRow) + MANY);
}

const untrainedBytes =
  ({ output, tokens: t = 0 }: Pick<Sized, "output" | "tokens">, members: number) =>
  (rows: number) =>
    4 * peakValues([output], { b: rows * members, t });

/** How many rows of a task a learner takes at once. They follow from the graph alone, so that results are the same everywhere. */
export interface RowsAtOnce {
  /** Of a training step, of one member each where the learner parts its batches by members. */
  readonly training: number;
  /** Of an evaluation, all members of each. */
  readonly evaluation: number;
}

export function rowsAtOnce(learner: Sized, supervision: Supervision, members: number): RowsAtOnce {
  return {
    training: fitting(trainedBytes(learner, supervision, members)),
    evaluation: evaluationRows(learner, members),
  };
}

/**
 * Bytes that training and answering take beside the frozen weights, batches being cut as `rowsAtOnce` says.
 *
 * @param recipe     with the sizes of batches
 * @param trainRows  how many rows train: no batch has more
 */
export function learnerBytes(
  learner: Sized,
  supervision: Supervision,
  members: number,
  { recipe, trainRows }: { readonly recipe: BatchSizes; readonly trainRows: number },
): number {
  const { batchSize, evaluationBatchSize } = recipe;
  const trained = trainedBytes(learner, supervision, members);
  const rows = rowsAtOnce(learner, supervision, members);
  // Both programs are open while a network is trained, and keep what they took.
  return (
    trained(Math.min(batchSize, rows.training, trainRows)) +
    inferenceBytes(learner, members, evaluationBatchSize)
  );
}

function trainedBytes(learner: Sized, supervision: Supervision, members: number) {
  const { output, trainingOutput = output, initial, tokens: t = 0, parting } = learner;
  const loss = lossOf(supervision, trainingOutput);
  const perStep = parting === undefined ? members : 1;
  return (rows: number) => stepBytes(loss, initial.keys(), { b: rows * perStep, t });
}
