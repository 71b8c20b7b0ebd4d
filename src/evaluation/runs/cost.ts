import { performance } from "node:perf_hooks";
import { InternalError } from "../../base/errors.ts";
import { stableStringify } from "../../base/json.ts";
import { counted } from "../../base/message-text.ts";
import { mean } from "../../metrics/mean.ts";
import type { Model, Protocol } from "../../models/model.ts";
import type { TrainingDevice } from "../../net/runtime/device.ts";
import { precisionCheckRows } from "../settings/half-precision.ts";
import type { RowPredictor, Setting, SettingContext, WeightsFile } from "../settings/setting.ts";
import { readTrainingRecipe, type TrainingRecipe } from "../settings/training-recipe.ts";
import { readTrainingRecord, trainingFolder } from "../settings/training-record.ts";
import { trainingFormOf, trainingIdentity, trainingRows, trainingTaskOf } from "../settings/training-rows.ts";
import type { Prediction } from "../tasks/prediction.ts";
import { pickRows } from "../tasks/table-rows.ts";
import type { OpenTask, RowNumbers, StageProgress } from "../tasks/task.ts";
import { lettersFor, longestTokenCount } from "./batches.ts";
import type { CellRecord } from "./cell.ts";

/** Estimated time, memory and disk of a cell on this machine. */
export interface CostEstimate {
  /** Seconds for the remaining rows of the shard; null if not timed. */
  readonly seconds: number | null;
  /** Part of these seconds that does not shrink with the rows: training, which shards share. */
  readonly trainingSeconds: number;
  /** Peak resident memory of the process in bytes; null for a model without `memory`. */
  readonly memory: number | null;
  /** Bytes of the cell's files in the run folder when it is complete, without embeddings. */
  readonly disk: number;
  /** Basis of the time, as text: "timed on 64 rows". */
  readonly basis: string;
}

/** Rows sampled for lengths and times. */
const SAMPLE_ROWS = 256;

/** Factor on the sampled token count, where lengths vary. */
const LENGTH_RESERVE = 1.2;

/** Timing stops after a call of this duration. */
const ENOUGH_SECONDS = 0.25;

/** A first call of this duration is not repeated. */
const SLOW_SECONDS = 8 * ENOUGH_SECONDS;

export interface Sample {
  readonly rows: RowNumbers;
  /** Number of tokens in the longest sampled sequence, with a reserve where lengths vary. */
  readonly longest: number;
}

/** Samples the first rows of a shard. */
export async function sampleOf(task: OpenTask, rows: RowNumbers, model: Model): Promise<Sample> {
  const few = rows.slice(0, SAMPLE_ROWS);
  const examples = await task.examples(few, lettersFor(model));
  const lengths = examples.map((example) => longestTokenCount(example, model));
  const most = Math.max(0, ...lengths);
  const varies = lengths.some((length) => length !== most);
  return { rows: few, longest: varies ? Math.ceil(most * LENGTH_RESERVE) : most };
}

export interface TimedCell {
  readonly model: Model;
  readonly setting: Setting;
  readonly weights?: WeightsFile;
  readonly task: OpenTask;
  readonly protocol: Protocol;
  readonly record: CellRecord;
  readonly batchSize: number;
  readonly device: TrainingDevice;
  readonly threads: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Estimates the time from a few timed rows; the memory is given. */
export async function estimateCost(
  cell: TimedCell,
  sample: Sample,
  { rows: inShard, rowsLeft, timing, memory, training }: CostOptions & { readonly timing: boolean },
): Promise<CostEstimate> {
  const untimed = { memory, disk: diskOf(cell, { rows: inShard, training }), trainingSeconds: 0 };
  if (rowsLeft === 0) return { ...untimed, seconds: 0, basis: "all rows are done" };
  if (!timing) return { ...untimed, seconds: null, basis: "not timed" };
  if (!cell.setting.readyAtOnce && cell.weights === undefined)
    return { ...untimed, seconds: null, basis: "not timed: the setting trains first" };
  const predictor = await cell.setting.open(contextOf(cell));
  try {
    const { seconds, rows, perRow } = await timeRows(predictor, cell, sample.rows);
    return {
      seconds: (seconds / rows) * rowsLeft,
      trainingSeconds: 0,
      memory,
      disk: diskOf(cell, { rows: inShard, training, perRow }),
      basis: `timed on ${counted(rows, "row")}`,
    };
  } finally {
    await predictor.close();
  }
}

export interface CostOptions {
  /** Rows of the shard, and of them those still to be scored. */
  readonly rows: number;
  readonly rowsLeft: number;
  readonly memory: number | null;
  /** Bytes of a training run's files; 0 if the setting trains nothing. */
  readonly training: number;
}

/** Bytes of a column of scores.tsv in a row, without predictions to measure. */
const BYTES_PER_COLUMN = 14;

/** Bytes of plan, records, metrics, result and timing of a cell. */
const RECORD_BYTES = 25e3;

/**
 * Bytes of a cell's files: scores.tsv, the packed rows of its shard, which take about half as much, its
 * records and its training run.
 *
 * @param perRow  mean bytes of a row in scores.tsv and in the shard
 */
function diskOf(
  { setting, task: { task } }: TimedCell,
  { rows, training, perRow }: Pick<CostOptions, "rows" | "training"> & { readonly perRow?: number },
): number {
  const { columns } = task.settings[setting.name]?.scores ?? task.scores;
  return RECORD_BYTES + training + rows * (perRow ?? 1.5 * BYTES_PER_COLUMN * columns.length);
}

/**
 * Mean bytes of predictions in scores.tsv and in a shard. Vectors are in the shard alone, as float32 values.
 */
function bytesPerRow({ setting, task: { task } }: TimedCell, predictions: readonly Prediction[]): number {
  const { line } = task.settings[setting.name]?.scores ?? task.scores;
  const sizes = predictions.map((prediction) => {
    const text = line(prediction).join("\t").length + 1;
    // In memory, a vector is base64.
    return prediction.kind === "vector" ? text + 0.75 * JSON.stringify(prediction).length : 1.5 * text;
  });
  return mean(sizes);
}

/** Context of a cell in memory, without the folders of a run. */
const contextOf = ({
  task,
  model,
  protocol,
  record,
  batchSize,
  device,
  threads,
  weights,
  signal,
}: TimedCell): SettingContext => ({
  ...{ task, model, protocol, batchSize, device, threads, signal },
  seed: record.cell.seed,
  recipe: record.cell.recipe,
  ...(weights === undefined ? {} : { weights }),
  ...{ folder: undefined, trained: undefined, embeddings: undefined, onNote: undefined, onStage: undefined },
});

/**
 * Times reading and scoring of more and more rows until a call takes long enough to be reliable; the first
 * call warms up.
 */
async function timeRows(predictor: RowPredictor, cell: TimedCell, sample: RowNumbers) {
  const { task, model } = cell;
  let perRow = 0;
  const time = async (rows: number) => {
    const began = performance.now();
    const predictions = await predictor.predict(
      await task.examples(sample.slice(0, rows), lettersFor(model)),
    );
    const seconds = (performance.now() - began) / 1000;
    perRow = bytesPerRow(cell, predictions);
    return seconds;
  };
  let seconds = await time(1);
  let rows = 1;
  // One call is enough for a slow model, although it may include loading the weights.
  if (seconds > SLOW_SECONDS) return { seconds, rows, perRow };
  seconds = await time(1);
  while (seconds < ENOUGH_SECONDS && rows < sample.length) {
    rows = Math.min(rows * 4, sample.length);
    seconds = await time(rows);
  }
  return { seconds, rows, perRow };
}

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

/** Rows of the first trial; each next one has eight times as many. */
const FIRST_ROWS = 2;
const MOST_ROWS = 128;

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
  if (rowsLeft === 0) {
    const disk = diskOf(cell, { rows, training });
    return { seconds: 0, trainingSeconds: 0, memory, disk, basis: "all rows are done" };
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
    return { seconds: evaluation, trainingSeconds: 0, memory, disk, basis };
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
  const examples = await trainingTaskOf(cell).examples(pickRows(rows, SHARE_ROWS));
  return rowsOfEpoch(examples, 0, recipe).length / examples.length;
}

const NONE = { train: 0, validate: 0 };

/**
 * Trains on more and more rows until two epochs take long enough to be reliable. Batches of the recipe are
 * faster per row than a few rows, so that the first trial decides for slow networks alone.
 */
async function timeTraining(cell: TimedCell, sample: Sample): Promise<Trial> {
  for (let rows = FIRST_ROWS; ; rows *= 8) {
    const { trial, seconds, used } = await runTrial(cell, sample, rows);
    const enough = rows === FIRST_ROWS ? SLOW_SECONDS : ENOUGH_SECONDS;
    if (seconds > enough || used < rows || rows >= MOST_ROWS) return trial;
  }
}

async function runTrial(cell: TimedCell, sample: Sample, limit: number) {
  const marks: (StageProgress & { readonly at: number })[] = [];
  const own = cell.record.cell.recipe;
  const recipe = {
    ...{ ...own, trainRows: limit, valRows: limit, epochs: 2, patience: null },
    // Choosing the precision would embed the rows before they are timed.
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
    const keeping = keepingSeconds(marks);
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
function keepingSeconds(marks: readonly StageProgress[]): number {
  const parts = new Map(marks.filter(({ phase }) => phase === "keeping").map((mark) => [mark.stage, mark]));
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
