import { peakValues } from "../../net/graph/peak-values.ts";
import { stepBytes } from "../../net/train/train-step.ts";
import type { Supervision } from "../tasks/task.ts";
import type { Learner } from "./learner.ts";
import { lossOf } from "./supervision.ts";
import type { TrainingRecipe } from "./training-recipe.ts";

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
export const answeringBytes = (
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
    answeringBytes(learner, members, evaluationBatchSize)
  );
}

function trainedBytes(learner: Sized, supervision: Supervision, members: number) {
  const { output, trainingOutput = output, initial, tokens: t = 0, parting } = learner;
  const loss = lossOf(supervision, trainingOutput);
  const perStep = parting === undefined ? members : 1;
  return (rows: number) => stepBytes(loss, initial.keys(), { b: rows * perStep, t });
}
