import { peakValues } from "../../net/graph/peak-values.ts";
import { stepBytes } from "../../net/train/step-bytes.ts";
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

/** How many rows of a task a learner takes at once. They follow from the graph alone, so that results are the same everywhere. */
export interface RowsAtOnce {
  /** Of a training step, of one member each where the learner parts its batches by members. */
  readonly training: number;
  /** Of an evaluation, all members of each. */
  readonly evaluation: number;
}

export function rowsAtOnce(learner: Sized, supervision: Supervision, members: number): RowsAtOnce {
  const { trained, untrained } = bytesOf(learner, supervision, members);
  // A few rows take less than what does not grow with them, so the growth is that of many.
  const fitting = (bytes: (rows: number) => number) => {
    const perRow = Math.max(1, (bytes(2 * MANY) - bytes(MANY)) / MANY);
    return Math.max(1, Math.floor((RUN_BYTES - bytes(MANY)) / perRow) + MANY);
  };
  return { training: fitting(trained), evaluation: fitting(untrained) };
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
  const { trained, untrained } = bytesOf(learner, supervision, members);
  const rows = rowsAtOnce(learner, supervision, members);
  // Both programs are open while a network is trained, and keep what they took.
  return (
    BESIDE +
    trained(Math.min(batchSize, rows.training, trainRows)) +
    untrained(Math.min(evaluationBatchSize, rows.evaluation))
  );
}

function bytesOf(learner: Sized, supervision: Supervision, members: number) {
  const { output, trainingOutput = output, initial, tokens: t = 0, parting } = learner;
  const loss = lossOf(supervision, trainingOutput);
  const perStep = parting === undefined ? members : 1;
  return {
    trained: (rows: number) => stepBytes(loss, initial.keys(), { b: rows * perStep, t }),
    untrained: (rows: number) => 4 * peakValues([output], { b: rows * members, t }),
  };
}
