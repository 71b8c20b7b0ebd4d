import type { WeightMemory } from "../../models/language/parameters.ts";
import type { PartPlace } from "../../models/training/fine-tuning.ts";
import { elementCount, type NdArray } from "../../net/arrays/array.ts";
import { inputValues, largestTensor, peakValues } from "../../net/graph/peak-values.ts";
import type { Sym } from "../../net/graph/sym.ts";
import type { TrainingKind } from "../../net/runtime/device.ts";
import { asStored, type ParameterSource } from "../../net/runtime/program.ts";
import { forwardBytes, hasOwnMemory, RUN_LIMITS } from "../../net/runtime/session-memory.ts";
import type { Feeds } from "../../net/train/batches.ts";
import { stepValues } from "../../net/train/train-step.ts";
import type { LabelledRow, Supervision } from "../tasks/task.ts";
import type { Example, RowNumbers } from "../tasks/task-rows.ts";
import { lossOf } from "./supervision.ts";
import type { TrainingRecipe } from "./training-recipe.ts";
import type { StorageDecision, TrainingRecord } from "./training-record.ts";
import type { TrainingRows } from "./training-rows.ts";

/** A network to train, and the conversion of a task's rows to its inputs. */
export interface Learner {
  /** Outputs [b, outputs]; b is the number of sequences, member after member of each row. */
  readonly output: Sym;
  /** Outputs of a training step, if its graph differs, for example by dropout. */
  readonly trainingOutput?: Sym;
  /**
   * For trained parameters that a batch may not use: a bool scalar that is true if it does; see
   * `train-step.ts`.
   */
  readonly reached?: ReadonlyMap<string, Sym>;
  /** Initial values of all trained parameters. */
  readonly initial: ReadonlyMap<string, NdArray>;
  /** Frozen parameters. */
  readonly frozen: ReadonlyMap<string, ParameterSource>;
  /** Inputs of the graph for evaluated rows. */
  feeds(examples: readonly Example[]): Promise<Feeds>;
  /**
   * Inference on rows whose inputs differ from those of training rows: their sequences in parts, each with
   * its own graph of the same parameters. Default: `output` and `feeds`.
   */
  readonly inferenceParts?: ((examples: readonly Example[]) => Promise<readonly InferencePart[]>) | undefined;
  /**
   * Decides before training in which precision embeddings are stored, and writes the decision to the
   * training's folder.
   * @returns  undefined if the recipe states the precision
   */
  decideStorage?(rows: TrainingRows, training: string): Promise<StorageDecision | undefined>;
  /** Sets the precision of embeddings to that of a training run. */
  adopt?(record: TrainingRecord): void;
  /** Label of `prepare` in progress messages, such as "embedding". */
  readonly preparing: string;
  /**
   * Prepares training rows for repeated use in any order.
   * @param onRows  called with the number of rows prepared
   */
  prepare(rows: RowNumbers, onRows: (done: number) => void): Promise<PreparedRows>;
  /** Tokens per sequence for estimates of memory, if the graph leaves them open. */
  readonly tokens?: number;
  /** Present if the members of a batch run one after the other; absent if they run together. */
  readonly parting?: Parting;
  /**
   * Reads trained values from a file: one of a run, or a `checkpoint_N.pt` of the original.
   * @throws {FormatError} when its tensors are not those of this network
   */
  load(file: string): Promise<ReadonlyMap<string, NdArray>>;
  /** Writes trained values in a format of other programs. */
  export?(folder: string, trained: ReadonlyMap<string, NdArray>): Promise<void>;
  close(): Promise<void>;
}

/** Some sequences of evaluated rows, with their graph. */
export interface InferencePart {
  /** [b, outputs] */
  readonly output: Sym;
  /** Indices among the sequences of the rows, member after member of each row. */
  readonly sequences: readonly number[];
  readonly feeds: Feeds;
}

/**
 * Splitting of a batch into parts with one member of some of its rows each. Sums are the same; dropout is
 * drawn for each member separately, as in the original, which runs the members' batches one after the other.
 */
export interface Parting {
  /** Inputs of a part besides those of its rows: dropout masks. */
  feeds(place: PartPlace, rows: Feeds): Feeds;
}

/** Prepared training rows, which can be fed repeatedly in any order. */
export interface PreparedRows {
  /** Facts and labels of the rows, without sequences. */
  readonly examples: readonly PreparedExample[];
  /**
   * Inputs of the graph for some rows, by their 0-based indices.
   * @param member  for a learner with `parting`. Default: all members, member after member of each row
   */
  feeds(indices: Int32Array, member?: number): Promise<Feeds>;
}

export type PreparedExample = LabelledRow & { readonly labels: readonly number[] };

const MANY = 1024;

/** Copies of the trained values on disk: parameters and two moments to resume, and the best epoch. */
const COPIES_ON_DISK = 4;

/** Bytes of the files of a training run. */
export const trainingDisk = ({ initial, export: exported }: Pick<Learner, "initial" | "export">): number =>
  4 *
  (COPIES_ON_DISK + (exported === undefined ? 0 : 1)) *
  [...initial.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0);

type Evaluated = Pick<Learner, "output" | "tokens"> & Partial<Pick<Learner, "frozen">>;

type Sized = Evaluated & Pick<Learner, "trainingOutput" | "initial" | "parting">;

/**
 * Rows that a learner processes at once; functions of the graph and the kind of device alone, so that results
 * agree on all machines.
 */
export interface RowsAtOnce {
  /** Rows per training step, of one member each for a learner with `parting`. */
  readonly training: number;
  /** Rows per evaluation, with all members. */
  readonly evaluation: number;
}

export function rowsAtOnce(
  learner: Sized,
  supervision: Supervision,
  members: number,
  device: TrainingKind,
): RowsAtOnce {
  const values = trainingValues(learner, supervision, members);
  return {
    training: fitting(device, (rows) => {
      const { activations, state, largest } = values(rows);
      return { run: 4 * (activations + state), tensor: 4 * largest };
    }),
    evaluation: evaluationRows(learner, members, device),
  };
}

/** Rows, with all members, that a learner evaluates at once; a function of the graph and the device alone. */
export const evaluationRows = (learner: Evaluated, members: number, device: TrainingKind): number =>
  fitting(device, (rows) => {
    const { alive, largest } = forwardValues(learner, members, rows);
    return { run: 4 * alive, tensor: 4 * largest };
  });

/**
 * Largest number of rows within the limits of a device, extrapolated from many rows, since constant terms
 * dominate for few.
 */
function fitting(
  device: TrainingKind,
  bytes: (rows: number) => { readonly run: number; readonly tensor: number },
): number {
  const [some, more] = [bytes(MANY), bytes(2 * MANY)];
  const limits = RUN_LIMITS[device];
  const rows = (["run", "tensor"] as const).map((of) => {
    const perRow = Math.max(1, (more[of] - some[of]) / MANY);
    return Math.floor((limits[of] - some[of]) / perRow) + MANY;
  });
  return Math.max(1, Math.min(...rows));
}

const forwardValues = ({ output, frozen, tokens: t = 0 }: Evaluated, members: number, rows: number) => {
  const sizes = { b: rows * members, t };
  return { alive: peakValues(asStored([output], frozen), sizes), largest: largestTensor([output], sizes) };
};

function trainingValues(learner: Sized, supervision: Supervision, members: number) {
  const { output, trainingOutput = output, initial, frozen, tokens: t = 0, parting } = learner;
  const values = stepValues(lossOf(supervision, trainingOutput), initial.keys(), frozen);
  const perStep = parting === undefined ? members : 1;
  return (rows: number) => values({ b: rows * perStep, t });
}

/** Copies of frozen weights in a training step: packed for the forward and for the backward pass. */
const WEIGHTS_OF_STEP = 2;

/** Batches of inputs in memory: one in use, one read ahead. */
const BATCHES_HELD = 2;

const NO_WEIGHTS: WeightMemory = { held: 0, mapped: 0 };

export interface InferenceSizes {
  readonly members: number;
  /** Rows per call. */
  readonly rows: number;
  readonly device: TrainingKind;
  /** Memory of the frozen weights. Default: none. */
  readonly weights?: WeightMemory;
}

/** Bytes of memory for inference, without the runtime and a GPU's own memory: the weights and a run. */
export function inferenceBytes(
  learner: Evaluated,
  { members, rows, device, weights = NO_WEIGHTS }: InferenceSizes,
): number {
  const atOnce = Math.min(rows, evaluationRows(learner, members, device));
  const inputs = inputValues([learner.output], { b: atOnce * members, t: learner.tokens ?? 0 });
  const { alive } = forwardValues(learner, members, atOnce);
  const run = hasOwnMemory(device) ? 0 : forwardBytes(alive);
  return weights.held + weights.mapped + run + 4 * BATCHES_HELD * inputs;
}

export interface TrainingSizes extends InferenceSizes {
  readonly recipe: Pick<TrainingRecipe, "batchSize" | "evaluationBatchSize">;
  readonly trainRows: number;
  readonly valRows: number;
}

/**
 * Bytes of memory for training and then inference, without the runtime and a GPU's own memory, with batches
 * split by `rowsAtOnce`.
 * The programs of training and validation are open together; inference follows when both are closed.
 */
export function learnerBytes(
  learner: Sized,
  supervision: Supervision,
  { recipe, trainRows, valRows, members, rows, device, weights = NO_WEIGHTS }: TrainingSizes,
): number {
  const most = rowsAtOnce(learner, supervision, members, device).training;
  const atOnce = Math.min(recipe.batchSize, trainRows, most);
  const { activations, inputs, state, update } = trainingValues(learner, supervision, members)(atOnce);
  const step = 4 * ((hasOwnMemory(device) ? 0 : activations) + state + update + BATCHES_HELD * inputs);
  const validated = Math.min(recipe.evaluationBatchSize, valRows);
  const validation = inferenceBytes(learner, { members, rows: validated, device, weights });
  const training = WEIGHTS_OF_STEP * weights.held + step + validation;
  return Math.max(training, inferenceBytes(learner, { members, rows, device, weights }));
}
