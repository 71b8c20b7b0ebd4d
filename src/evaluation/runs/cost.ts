import { performance } from "node:perf_hooks";
import { setImmediate } from "node:timers/promises";
import { counted } from "../../base/message-text.ts";
import { IN_MEMORY } from "../../base/number-log.ts";
import { bytesPerNumber, type NumberType } from "../../base/typed-numbers.ts";
import { mean } from "../../metrics/mean.ts";
import type { Model, Protocol } from "../../models/model.ts";
import type { TrainingDevice } from "../../net/runtime/device.ts";
import type { RowPredictor, Setting, SettingContext, WeightsFile } from "../settings/setting.ts";
import type { Prediction } from "../tasks/prediction.ts";
import { PredictionColumns } from "../tasks/prediction-columns.ts";
import type { OpenTask } from "../tasks/task.ts";
import type { RowList, RowNumbers } from "../tasks/task-rows.ts";
import { exampleOptions, longestTokenCount } from "./batches.ts";
import type { CellRecord } from "./cell.ts";

/** Estimated time, memory and disk of a cell on this machine. */
export interface CostEstimate {
  /** Seconds for the remaining rows of the shard; null if not timed. */
  readonly seconds: number | null;
  /** Part of these seconds that does not depend on the number of rows: training, which shards share. */
  readonly trainingSeconds: number;
  /** Peak resident memory of the process in bytes; null for a model without `memory`. */
  readonly memory: number | null;
  /** Bytes of the cell's files in the run folder when it is complete, without embeddings. */
  readonly disk: number;
  /**
   * Bytes of temporary files in `$TMPDIR` while the rows of the whole cell are merged and measured; tables of
   * the run, which are there too, are in `Plan.temporary`.
   */
  readonly temporary: number;
  /** Basis of the time, as text: "timed on 64 rows". */
  readonly basis: string;
  /**
   * Seconds of a long measurement of all rows, such as clustering; included in `seconds`. Absent if the
   * setting has no such measurement, or if it was not timed.
   */
  readonly measuring?: number;
}

/** Rows sampled for lengths and times. */
const SAMPLE_ROWS = 256;

/** Factor on the sampled token count, where lengths vary. */
const LENGTH_RESERVE = 1.2;

/** Timing ends after a call of this many seconds. */
export const ENOUGH_SECONDS = 0.25;

/** A first call of this many seconds is not repeated. */
export const SLOW_SECONDS = 8 * ENOUGH_SECONDS;

export interface Sample {
  readonly rows: RowNumbers;
  /** Number of tokens in the longest sampled sequence, with a reserve where lengths vary. */
  readonly longest: number;
}

/** Samples the first rows of a shard. */
export async function sampleOf(task: OpenTask, rows: RowList, model: Model): Promise<Sample> {
  const few = rows.slice(0, SAMPLE_ROWS);
  const examples = await task.examples(few, exampleOptions(model));
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

/** Options of `estimateCost`. */
interface RowCostOptions extends CostOptions {
  readonly timing: boolean;
  /** Also time a long measurement, in a trial of seconds, if the rows are those of a whole cell. */
  readonly timeMeasuring: boolean;
}

/** Estimates the time from a few timed rows; the memory is given. */
export async function estimateCost(
  cell: TimedCell,
  sample: Sample,
  { rows: inShard, rowsLeft, timing, timeMeasuring, memory, training }: RowCostOptions,
): Promise<CostEstimate> {
  const disk = diskOf(cell, { rows: inShard, training });
  const untimed = { memory, disk, temporary: temporaryOf(cell, inShard), trainingSeconds: 0 };
  if (rowsLeft === 0) return { ...untimed, seconds: 0, basis: "all rows are done" };
  if (!timing) return { ...untimed, seconds: null, basis: "not timed" };
  if (!cell.setting.readyAtOnce && cell.weights === undefined)
    return { ...untimed, seconds: null, basis: "not timed: the setting trains first" };
  const predictor = await cell.setting.open(contextOf(cell));
  try {
    const { seconds, rows, perRow, predictions } = await timeRows(predictor, cell, sample.rows);
    const { recipe } = cell.record.cell;
    const isWhole = inShard === cell.record.rows.selected;
    const form = cell.task.task.settings[cell.setting.name];
    const pause = async () => {
      await setImmediate();
      cell.signal?.throwIfAborted();
    };
    const measuring =
      timeMeasuring && isWhole
        ? await form?.measuringSeconds?.(inShard, predictions, { recipe, pause })
        : undefined;
    return {
      seconds: (seconds / rows) * rowsLeft + (measuring ?? 0),
      trainingSeconds: 0,
      memory,
      disk: diskOf(cell, { rows: inShard, training, perRow }),
      temporary: temporaryOf(cell, inShard, predictions),
      basis: `timed on ${counted(rows, "row")}`,
      ...(measuring === undefined ? {} : { measuring }),
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
export function diskOf(
  { setting, task: { task } }: TimedCell,
  { rows, training, perRow }: Pick<CostOptions, "rows" | "training"> & { readonly perRow?: number },
): number {
  const { columns } = task.settings[setting.name]?.scores ?? task.scores;
  return RECORD_BYTES + training + rows * (perRow ?? 1.5 * BYTES_PER_COLUMN * columns.length);
}

/**
 * Bytes of temporary files while a cell is merged and measured: the columns of its predictions (`NumberLog`),
 * twice more where shards or batches are in another order than rows, and the numbers that the measurement
 * sorts.
 *
 * @param inShard      rows of this shard
 * @param predictions  of a few rows, for the numbers of a row; default: the columns of scores.tsv
 */
export function temporaryOf(
  { setting, model, record, task: { task } }: TimedCell,
  inShard: number,
  predictions: readonly Prediction[] = [],
): number {
  const rows = record.rows.selected;
  const form = task.settings[setting.name];
  const { columns } = form?.scores ?? task.scores;
  const widths =
    predictions.length === 0
      ? [...columns.slice(1).map(() => 8), ...POSITION_BYTES]
      : PredictionColumns.of(predictions)
          .columns.filter(({ name, of }) => of === "fact" || name !== "row")
          .map(({ type, width }) => width * bytesIfLarge(type));
  const reordered = inShard < rows || model.tokenCount !== undefined || record.cell.untilWidth !== undefined;
  const copies = reordered ? 3 : 1;
  const columnBytes = [4, ...widths].reduce((sum, width) => sum + onDisk(rows * width), 0);
  // Sorted runs, and all numbers in order.
  const sortedBytes = 2 * onDisk(8 * rows * (form?.sortedNumbers ?? 0));
  return copies * columnBytes + sortedBytes;
}

/** Bytes of the start and the end of a row. */
const POSITION_BYTES = [4, 4];

/** Bytes of a number in a large table: the first rows have small positions. */
const bytesIfLarge = (type: NumberType) => (type === "uint16" ? 4 : bytesPerNumber(type));

/** Bytes of a column that are not in memory. */
const onDisk = (bytes: number) => Math.max(bytes - IN_MEMORY, 0);

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
export const contextOf = ({
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
  task,
  model,
  protocol,
  batchSize,
  device,
  threads,
  signal,
  seed: record.cell.seed,
  recipe: record.cell.recipe,
  ...(weights === undefined ? {} : { weights }),
  folder: undefined,
  trained: undefined,
  embeddings: undefined,
  onNote: undefined,
  onStage: undefined,
});

/**
 * Times reading and scoring of more and more rows until a call takes long enough to be reliable; the first
 * call warms up.
 */
export async function timeRows(predictor: RowPredictor, cell: TimedCell, sample: RowNumbers) {
  const { task, model } = cell;
  let perRow = 0;
  let predictions: readonly Prediction[] = [];
  const time = async (rows: number) => {
    const began = performance.now();
    predictions = await predictor.predict(await task.examples(sample.slice(0, rows), exampleOptions(model)));
    const seconds = (performance.now() - began) / 1000;
    perRow = bytesPerRow(cell, predictions);
    return seconds;
  };
  let seconds = await time(1);
  let rows = 1;
  // One call is enough for a slow model, although it may include loading the weights.
  if (seconds > SLOW_SECONDS) return { seconds, rows, perRow, predictions };
  seconds = await time(1);
  while (seconds < ENOUGH_SECONDS && rows < sample.length) {
    rows = Math.min(rows * 4, sample.length);
    seconds = await time(rows);
  }
  return { seconds, rows, perRow, predictions };
}
