import { InputError } from "../../base/errors.ts";
import { elementCount, type NdArray } from "../../net/arrays/array.ts";
import { input, mul } from "../../net/graph/build.ts";
import { deviceKind } from "../../net/runtime/device.ts";
import type { ProgramOptions } from "../../net/runtime/program.ts";
import type { BatchPart, BatchPlace, ExampleOrder, ExampleSource, Feeds } from "../../net/train/batches.ts";
import { fitEpochs } from "../../net/train/fit.ts";
import type { EpochRecord, FitEvent } from "../../net/train/fit-state.ts";
import type { Tally, Validation } from "../../net/train/validation.ts";
import { finiteOrNull } from "../tasks/measurement.ts";
import type { Prediction } from "../tasks/prediction.ts";
import type { MeasureContext, Supervision } from "../tasks/task.ts";
import type { SelectedRows } from "../tasks/task-rows.ts";
import {
  type Learner,
  type Parting,
  type PreparedExample,
  type PreparedRows,
  rowsAtOnce,
} from "./learner.ts";
import type { SettingContext } from "./setting.ts";
import { labelsArray, lossOf, outputValues, predictionsOf } from "./supervision.ts";
import type { TrainingRecipe } from "./training-recipe.ts";
import { STORED_AS, type TrainingRecord } from "./training-record.ts";
import { supervisionOf, type TrainingRows, trainingTaskOf } from "./training-rows.ts";

export interface LearnerTraining {
  readonly setting: string;
  readonly recipe: TrainingRecipe;
  readonly learner: Learner;
  readonly rows: TrainingRows;
  /** SHA-256 of everything that the result depends on. */
  readonly identity: string;
  /** Folder of weights, log and state. */
  readonly folder: string;
}

/** Options of the programs of settings that train. */
export const programOptionsOf = ({ device, threads }: SettingContext): ProgramOptions => ({
  device,
  ...(threads === undefined ? {} : { threads }),
});

/**
 * Trains a network by a recipe. The loss is the sum over members of their mean losses over the batch. Every
 * epoch ends with a validation on all validation rows; the parameters of the epoch with the smallest loss are
 * kept.
 *
 * @throws {InputError} as `fitEpochs` does
 */
export async function trainLearner(
  context: SettingContext,
  { setting, recipe, learner, rows, identity, folder }: LearnerTraining,
): Promise<TrainingRecord> {
  const supervision = supervisionOf(context, setting);
  const members = trainingTaskOf(context).task.members.length;
  const embeddings = await learner.decideStorage?.(rows, folder);
  const kept: Record<"train" | "val", PreparedRows> = {
    train: await prepareRows(context, learner, rows.train, "training"),
    val: await prepareRows(context, learner, rows.val, "validation"),
  };
  const { output, trainingOutput = output, initial, frozen } = learner;
  const { weightDecay = 0, accumulate = 1 } = recipe;
  const atOnce = rowsAtOnce(learner, supervision, members, deviceKind(context.device));
  const parted = learner.parting !== undefined || recipe.batchSize > atOnce.training;
  const { history, best, parameters } = await fitEpochs({
    step: {
      loss: mul(lossOf(supervision, trainingOutput), parted ? input("share", "float32", []) : members),
      trained: initial,
      frozen,
      optimizer: { learningRate: recipe.learningRate, weightDecay },
      accumulate,
      inParts: parted,
      program: programOptionsOf(context),
      ...(learner.reached === undefined ? {} : { reached: learner.reached }),
    },
    training: {
      examples: rows.train.rows.length,
      batch: async (indices, place) =>
        parted
          ? learnerShards(supervision, kept.train, learner.parting, {
              indices,
              place,
              members,
              rows: atOnce.training,
            })
          : labelledFeeds(supervision, kept.train, indices),
    },
    validation: validationOf(context, supervision, {
      recipe,
      rows: kept.val,
      learner,
      atOnce: atOnce.evaluation,
    }),
    recipe: {
      epochs: recipe.epochs,
      batchSize: recipe.batchSize,
      order: orderOf(context, supervision, recipe, kept.train),
      ...(recipe.patience === null ? {} : { patience: recipe.patience }),
    },
    folder,
    identity,
    ...(embeddings === undefined ? {} : { metadata: { [STORED_AS]: embeddings.storedAs } }),
    onProgress: (event) => reportStage(context, event),
    signal: context.signal,
  });
  await learner.export?.(folder, parameters);
  return {
    identity,
    device: deviceKind(context.device),
    trainRows: rows.train.rows.length,
    valRows: rows.val.rows.length,
    parameters: [...parameters.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0),
    ...(embeddings === undefined ? {} : { embeddings }),
    best: best.epoch,
    epochs: history.map(({ epoch, trainLoss, validation }) => ({
      epoch,
      trainLoss,
      validation: Object.fromEntries(
        Object.entries(validation).map(([name, value]) => [name, finiteOrNull(value)]),
      ),
    })),
  };
}

/** Order of the training rows: the task's if it has one, else the recipe's. */
function orderOf(
  { recipe: written }: SettingContext,
  supervision: Supervision,
  { order, trainingSeed }: TrainingRecipe,
  { examples }: PreparedRows,
): ExampleOrder {
  const { rowsOfEpoch } = supervision;
  if (rowsOfEpoch !== undefined) {
    return { kind: "chosen", rows: (epoch) => rowsOfEpoch(examples, epoch, written) };
  }
  return order === "file" ? { kind: "file" } : { kind: "shuffled", seed: trainingSeed };
}

async function prepareRows(
  { onStage }: SettingContext,
  learner: Learner,
  { rows }: SelectedRows,
  part: string,
): Promise<PreparedRows> {
  const began = performance.now();
  return learner.prepare(rows.slice(), (done) =>
    onStage?.({
      stage: `${learner.preparing} the ${part} rows`,
      phase: "preparing",
      ...paceOf(done, rows.length, began),
    }),
  );
}

/** Speed since the start, and the remaining time at this speed. */
function paceOf(done: number, total: number, began: number) {
  const rate = done / ((performance.now() - began) / 1000);
  const known = Number.isFinite(rate) && rate > 0;
  return {
    done,
    total,
    rowsPerSecond: known ? rate : undefined,
    secondsLeft: known ? (total - done) / rate : undefined,
  };
}

interface ValidationParts {
  readonly recipe: TrainingRecipe;
  readonly rows: PreparedRows;
  readonly learner: Learner;
  /** Rows per forward pass. */
  readonly atOnce: number;
}

function validationOf(
  { protocol, seed, recipe: written, onStage }: SettingContext,
  supervision: Supervision,
  { recipe, rows, learner, atOnce }: ValidationParts,
): Validation {
  const total = rows.examples.length;
  const batchSize = Math.min(recipe.evaluationBatchSize, atOnce);
  let began = performance.now();
  let present = 0;
  const data: ExampleSource = {
    examples: total,
    batch(indices, { epoch, batch }) {
      present = epoch;
      if (batch === 0) began = performance.now();
      onStage?.({
        stage: validating(epoch),
        phase: "validating",
        ...paceOf(batch * batchSize, total, began),
        secondsLeft: undefined,
      });
      return rows.feeds(indices);
    },
  };
  const measured: MeasureContext = { protocol, seed, rowsInTable: total, recipe: written };
  return {
    data,
    batchSize,
    outputs: { output: learner.output },
    tally(): Tally {
      const predictions: Prediction[] = [];
      return {
        add({ output }, _feeds, indices) {
          const examples = [...indices].map((index) => rows.examples[index]);
          checkFinite(output, examples, present);
          predictions.push(...predictionsOf(supervision, examples, output));
        },
        columns: () => supervision.validate(predictions, measured),
      };
    },
  };
}

/** @param epoch  the finished epoch, 0-based */
function checkFinite(output: NdArray, examples: readonly PreparedExample[], epoch: number): void {
  const values = outputValues(output);
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at === -1) return;
  const { row } = examples[Math.floor((at * examples.length) / values.length)];
  throw new InputError(
    `after epoch ${epoch + 1} the network predicts ${values[at]} for the validation row ${row}`,
    { hint: "lower the learning rate, or check the rows' labels" },
  );
}

const validating = (epoch: number) => `validating epoch ${epoch + 1}`;

function reportStage({ onStage }: SettingContext, event: FitEvent): void {
  if (onStage === undefined || event.kind === "resumed") return;
  if (event.kind === "epoch") {
    onStage({
      stage: validating(event.record.epoch),
      phase: "validating",
      done: 1,
      total: 1,
      rowsPerSecond: undefined,
      secondsLeft: undefined,
      note: epochNote(event.record, event.best),
    });
    return;
  }
  onStage({
    stage: `training, epoch ${event.epoch + 1} of ${event.epochs}`,
    phase: "training",
    done: event.seen,
    total: event.examples,
    rowsPerSecond: event.examplesPerSecond,
    secondsLeft: event.secondsLeft,
  });
}

function epochNote({ epoch, trainLoss, validation }: EpochRecord, best: boolean): string {
  const columns = Object.entries({ train_loss: trainLoss, ...validation });
  const numbers = columns.map(([name, value]) => `${name} ${value.toPrecision(4)}`).join(", ");
  return `epoch ${epoch + 1}: ${numbers}${best ? ", the best so far" : ""}`;
}

/**
 * Inputs of some rows with their labels.
 * @param member  default: all members, member after member of each row
 */
export async function labelledFeeds(
  supervision: Supervision,
  rows: PreparedRows,
  indices: Int32Array,
  member?: number,
): Promise<Feeds> {
  const labels = [...indices].flatMap((index) => {
    const ofMembers = rows.examples[index].labels;
    return member === undefined ? ofMembers : [ofMembers[member]];
  });
  return { ...(await rows.feeds(indices, member)), labels: labelsArray(supervision, labels) };
}

export interface WholeBatch {
  readonly indices: Int32Array;
  readonly place: BatchPlace;
  readonly members: number;
  /** Maximum rows of a part. */
  readonly rows: number;
}

/**
 * A batch split into parts. The loss of a part is a mean over its sequences, weighted by `share`: its share
 * of the batch's rows, times the number of its members. The sum of the parts' losses is the sum over members
 * of their means over the batch.
 */
export function learnerShards(
  supervision: Supervision,
  kept: PreparedRows,
  parting: Parting | undefined,
  { indices, place, members, rows }: WholeBatch,
): readonly BatchPart[] {
  const starts = Array.from({ length: Math.ceil(indices.length / rows) }, (_, i) => i * rows);
  const groups = parting === undefined ? [undefined] : Array.from({ length: members }, (_, i) => i);
  return groups.flatMap((member) =>
    starts.map((from) => async () => {
      const some = indices.subarray(from, from + rows);
      const feeds = await labelledFeeds(supervision, kept, some, member);
      const counted = (some.length / indices.length) * (member === undefined ? members : 1);
      const share: NdArray = { dtype: "float32", shape: [], data: Float32Array.of(counted) };
      const partFeeds = member === undefined ? {} : parting?.feeds({ ...place, member, from }, feeds);
      return { ...feeds, share, ...partFeeds };
    }),
  );
}
