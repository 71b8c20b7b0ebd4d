import { performance } from "node:perf_hooks";
import { InternalError } from "../../base/errors.ts";
import { stableStringify } from "../../base/json.ts";
import { counted } from "../../base/message-text.ts";
import { precisionCheckRows } from "../settings/half-precision.ts";
import { readTrainingRecipe, type TrainingRecipe } from "../settings/training-recipe.ts";
import { readTrainingRecord, trainingFolder } from "../settings/training-record.ts";
import { trainingFormOf, trainingIdentity, trainingRows, trainingTaskOf } from "../settings/training-rows.ts";
import { pickRows } from "../tasks/table-rows.ts";
import type { OpenTask, StageProgress } from "../tasks/task.ts";
import {
  type CostEstimate,
  type CostOptions,
  contextOf,
  diskOf,
  ENOUGH_SECONDS,
  type Sample,
  SLOW_SECONDS,
  type TimedCell,
  temporaryOf,
  timeRows,
} from "./cost.ts";

/** Seconds per row of each phase of training, from a trial. */
interface TrainingRates {
  /** Embedding or tokenizing, once per training and validation row. */
  readonly keep: number;
  readonly train: number;
  readonly validate: number;
  /** Training rows of the trial. */
  readonly rows: number;
}

interface Trial {
  readonly rates: TrainingRates;
  /** Seconds to build and compile the programs. */
  readonly opening: number;
  /** Seconds per evaluated row. */
  readonly evaluate: number;
  /** Bytes per evaluated row, on disk. */
  readonly perRow: number;
}

/** Trials of a plan, shared by cells that differ only in their rows, such as those of five cell lines. */
export class TimedTrials extends Map<string, Trial> {
  /** Duration of all trials. */
  seconds = 0;
}

/** Rows of the first trial; each further trial has eight times as many. */
const FIRST_ROWS = 2;
const MAX_ROWS = 128;

/** Rows sampled for the share of rows in an epoch. */
const SHARE_ROWS = 256;

export interface TrainingCostOptions extends CostOptions {
  /** Folder of trained parameters; undefined for a run in memory. */
  readonly trained: string | undefined;
  readonly trials: TimedTrials;
}

/**
 * Estimates the time of a cell that trains: trains two epochs on a few rows and scales the time per row to
 * the recipe's rows and epochs. An upper bound: early stopping, stored embeddings and training shared with
 * other cells save time.
 */
export async function estimateTraining(
  cell: TimedCell,
  sample: Sample,
  { rows, rowsLeft, memory, training, trained, trials }: TrainingCostOptions,
): Promise<CostEstimate> {
  const temporary = temporaryOf(cell, rows);
  if (rowsLeft === 0) {
    const disk = diskOf(cell, { rows, training });
    return { seconds: 0, trainingSeconds: 0, memory, disk, temporary, basis: "all rows are done" };
  }
  const recipe = readTrainingRecipe(cell.record.cell.recipe);
  const { train, val } = trainingRows(cell, recipe);
  const key = keyOf(cell);
  const began = performance.now();
  const trial = trials.get(key) ?? (await timeTraining(cell, sample));
  trials.set(key, trial);
  trials.seconds += (performance.now() - began) / 1000;
  const { rates, opening, evaluate, perRow } = trial;
  const evaluation = rowsLeft * evaluate;
  if (await isTrained(cell, recipe, trained)) {
    const disk = diskOf(cell, { rows, training, perRow });
    const basis = "trained already; scoring timed on a few rows";
    return { seconds: evaluation, trainingSeconds: 0, memory, disk, temporary, basis };
  }
  const [trainRows, valRows] = [train.rows.length, val.rows.length];
  const epoch = trainRows * (await shareOfEpoch(cell)) * rates.train + valRows * rates.validate;
  const checked = cell.record.cell.recipe.storedAs === "auto" ? precisionCheckRows(trainRows, valRows) : NONE;
  const check = checked.train * rates.train + checked.validate * rates.validate;
  const trainingSeconds = opening + (trainRows + valRows) * rates.keep + check + recipe.epochs * epoch;
  const most = recipe.patience === null ? "" : " at most";
  return {
    seconds: trainingSeconds + evaluation,
    trainingSeconds,
    memory,
    disk: diskOf(cell, { rows, training, perRow }),
    temporary,
    basis: `${counted(recipe.epochs, "epoch")}${most}, timed on ${counted(rates.rows, "row")}`,
  };
}

/** Key of all that determines the time per row: everything but the numbers of rows and epochs. */
function keyOf({ record, setting, model, protocol, task }: TimedCell): string {
  const { epochs: _, patience: __, trainRows: ___, valRows: ____, ...recipe } = record.cell.recipe;
  return stableStringify([task.task.name, setting.name, model.identity ?? model.name, protocol, recipe]);
}

/** True if the run has the trained parameters of this cell already. */
async function isTrained(cell: TimedCell, recipe: TrainingRecipe, trained: string | undefined) {
  if (trained === undefined) return false;
  const identity = trainingIdentity(contextOf(cell), cell.setting.name, trainingRows(cell, recipe));
  const record = await readTrainingRecord(trainingFolder(trained, identity));
  return record?.identity === identity;
}

/** Share of the training rows in one epoch; 1 unless the task chooses them. */
async function shareOfEpoch(cell: TimedCell): Promise<number> {
  const { rowsOfEpoch } = trainingFormOf(cell, cell.setting.name).supervision;
  if (rowsOfEpoch === undefined) return 1;
  const { recipe } = cell.record.cell;
  const { rows } = trainingRows(cell, readTrainingRecipe(recipe)).train;
  const examples = await trainingTaskOf(cell).examples(pickRows(rows, SHARE_ROWS).slice());
  return rowsOfEpoch(examples, 0, recipe).length / examples.length;
}

const NONE = { train: 0, validate: 0 };

/**
 * Trains on increasing numbers of rows until two epochs take long enough for a reliable estimate. The first
 * trial suffices for slow networks only, because full batches are faster per row than a few rows.
 */
async function timeTraining(cell: TimedCell, sample: Sample): Promise<Trial> {
  for (let rows = FIRST_ROWS; ; rows *= 8) {
    const { trial, seconds, used } = await runTrial(cell, sample, rows);
    const enough = rows === FIRST_ROWS ? SLOW_SECONDS : ENOUGH_SECONDS;
    if (seconds > enough || used < rows || rows >= MAX_ROWS) return trial;
  }
}

async function runTrial(cell: TimedCell, sample: Sample, limit: number) {
  const marks: (StageProgress & { readonly at: number })[] = [];
  const own = cell.record.cell.recipe;
  const recipe = {
    ...own,
    trainRows: limit,
    valRows: limit,
    epochs: 2,
    patience: null,
    // "auto" would embed the rows before they are timed.
    ...(own.storedAs === "auto" ? { storedAs: "float32" } : {}),
  };
  const task = withPlainTraining(cell.task, cell.setting.name);
  const { train, val } = trainingRows({ task }, readTrainingRecipe(recipe));
  const began = performance.now();
  const predictor = await cell.setting.open({
    ...contextOf(cell),
    task,
    recipe,
    onStage: (stage) => marks.push({ ...stage, at: performance.now() / 1000 }),
  });
  const opened = (performance.now() - began) / 1000;
  try {
    const { seconds, rows, perRow } = await timeRows(predictor, cell, sample.rows);
    const used = train.rows.length;
    const [first, second] = marks.filter(
      ({ phase, done, total }) => phase === "validating" && done === total,
    );
    const lastBatch = marks.findLast(({ phase }) => phase === "training");
    if (first === undefined || second === undefined || lastBatch === undefined) {
      throw new InternalError(`the trial of ${cell.setting.name} did not report two epochs`);
    }
    const keeping = preparingSeconds(marks);
    const epoch = second.at - first.at;
    const rates = {
      keep: keeping / (used + val.rows.length),
      train: (lastBatch.at - first.at) / used,
      validate: (second.at - lastBatch.at) / val.rows.length,
      rows: used,
    };
    const opening = Math.max(0, opened - keeping - 2 * epoch);
    return { trial: { rates, opening, evaluate: seconds / rows, perRow }, seconds: epoch, used };
  } finally {
    await predictor.close();
  }
}

/** Seconds of embedding or tokenizing, by the last report of each stage. */
function preparingSeconds(marks: readonly StageProgress[]): number {
  const parts = new Map(marks.filter(({ phase }) => phase === "preparing").map((mark) => [mark.stage, mark]));
  return [...parts.values()].reduce((sum, { done, rowsPerSecond }) => {
    return sum + (rowsPerSecond === undefined ? 0 : done / rowsPerSecond);
  }, 0);
}

/** The task with all rows in every epoch and without validation metrics, which few rows may not define. */
function withPlainTraining(task: OpenTask, setting: string): OpenTask {
  const { training, sequenceFile } = task;
  const form = task.task.settings[setting];
  const { rowsOfEpoch: _, ...supervision } = trainingFormOf({ task }, setting).supervision;
  const plain = { ...form, supervision: { ...supervision, validate: () => ({ val_loss: 0 }) } };
  return {
    task: training === undefined ? { ...task.task, settings: { [setting]: plain } } : task.task,
    digests: task.digests,
    ...(training === undefined ? {} : { training: withPlainTraining(training, setting) }),
    ...(sequenceFile === undefined ? {} : { sequenceFile }),
    select: (selection) => task.select(selection),
    examples: (rows, options) => task.examples(rows, options),
    close: async () => {},
  };
}
