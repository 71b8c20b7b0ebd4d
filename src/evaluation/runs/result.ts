import { estimatedRounding } from "../../metrics/ties.ts";
import type { EmbeddingStorage } from "../settings/setting.ts";
import type { TrainingRecord } from "../settings/training-record.ts";
import type { MetricName, NameOr } from "../tasks/catalogue.ts";
import { paperScores } from "../tasks/compared-scores.ts";
import type { Measurement } from "../tasks/measurement.ts";
import type { Prediction, Predictions } from "../tasks/prediction.ts";
import type { MainStatistic, MeasureContext, MeasureWork, ScoreTable, Task } from "../tasks/task.ts";
import type { CellRecord } from "./cell.ts";
import { type PrecisionCheck, precisionText } from "./precision-record.ts";
import { withAnyTimeInterval } from "./until-width.ts";

/** Version of result.json. */
export const FORMAT_VERSION = 2;

/**
 * Contents of result.json: the metrics of one cell. A function of the cell only, byte-identical however the
 * run was sharded, interrupted or batched (up to a model's float rounding between batch shapes).
 */
export interface CellResult extends CellRecord, Measurement<NameOr<MetricName>> {
  readonly format: "dart-eval result";
  readonly formatVersion: typeof FORMAT_VERSION;
  /** Loss curves, if the setting trained. */
  readonly training?: TrainingRecord;
  /** Check of a reduced precision against float32. */
  readonly precisionCheck?: PrecisionCheck;
}

/** Speed, memory and machine of a shard. Not part of the result, because it differs between runs. */
export interface ShardTiming {
  readonly shard: { readonly index: number; readonly count: number };
  readonly rows: number;
  /** Rows scored by the last process, in `seconds` of wall-clock time. */
  readonly timedRows: number;
  readonly seconds: number;
  /** Null when all rows were done before the last process. */
  readonly rowsPerSecond: number | null;
  /** Sequences per call. */
  readonly batchSize: number;
  /** Peak resident set size of the last process, in bytes. */
  readonly peakMemory: number;
  /**
   * Versions of the programs that scored the rows, such as `0.1.0+3f7a91c2`; several after resuming with
   * another version.
   */
  readonly toolkit: string;
  readonly host: string;
  /** Device of the model; null if it does not declare one. */
  readonly device: string | null;
  /** Start and end of the last process's work, ISO 8601. */
  readonly started?: string;
  readonly finished?: string;
  /** Command line of the last process, if it was `dart-eval`. */
  readonly command?: string;
  /** Storage of the embeddings that a head was trained on, and its reason. */
  readonly embeddings?: { readonly storage: Exclude<EmbeddingStorage, "auto">; readonly because: string };
}

/**
 * Computes the metrics of a cell.
 * @param predictions  in row order, so that sums round equally for any sharding
 * @throws the signal's reason when a long measurement is stopped
 */
export async function measureCell(
  task: Task,
  record: CellRecord,
  predictions: Predictions,
  work: MeasureWork = {},
): Promise<Measurement> {
  const context = contextOf(record, scoreRoundingOf(task, record, predictions), work);
  const form = task.settings[record.cell.setting];
  const measurement =
    form?.measure === undefined
      ? task.measure(predictions, context)
      : await form.measure(predictions, context);
  if (record.cell.untilWidth === undefined) return measurement;
  const main = await mainStatisticOf(task, record, predictions, work);
  return main === undefined ? measurement : withAnyTimeInterval(measurement, record.cell, main);
}

/**
 * The main metric of a cell over blocks of rows; undefined where the task does not have one.
 *
 * @param predictions    of the cell or of some of its rows, in row order
 * @param scoreRounding  of the cell's scores; default: from these predictions
 * @throws the signal's reason when a long measurement is stopped
 */
export async function mainStatisticOf(
  task: Task,
  record: CellRecord,
  predictions: Predictions,
  work: MeasureWork = {},
  scoreRounding = scoreRoundingOf(task, record, predictions),
): Promise<MainStatistic | undefined> {
  const form = task.settings[record.cell.setting];
  const of = form?.measure === undefined ? task : form;
  return of.mainStatistic?.(predictions, contextOf(record, scoreRounding, work));
}

function contextOf({ cell, rows }: CellRecord, scoreRounding: number, work: MeasureWork): MeasureContext {
  const { protocol, seed, recipe } = cell;
  return { protocol, seed, rowsInTable: rows.inTable, recipe, scoreRounding, work };
}

/** Relative rounding error of a cell's scores: as the model declares it, else estimated from all of them. */
export function scoreRoundingOf(task: Task, { cell }: CellRecord, predictions: Predictions): number {
  return cell.model.scoreRounding ?? estimatedRounding(scoresOf(predictions), cell.context ?? task.window);
}

/** All scores that may be compared with each other. */
function* scoresOf(predictions: Predictions): Generator<number> {
  for (const prediction of predictions) {
    if (prediction.kind === "logits") for (const member of prediction.logits) yield* member;
    else if (prediction.kind !== "vector") yield* prediction.values;
  }
}

const weightsNotes = ({ cell: { weights, model }, weightsFile }: CellRecord): string[] =>
  weights === undefined
    ? []
    : [`${model.name} was not trained in this run. Weights: ${weightsFile}, SHA-256 ${weights}.`];

export function cellResult(
  record: CellRecord,
  measurement: Measurement,
  {
    training,
    precisionCheck,
  }: { readonly [Key in "training" | "precisionCheck"]?: CellResult[Key] | undefined } = {},
): CellResult {
  return {
    format: "dart-eval result",
    formatVersion: FORMAT_VERSION,
    ...record,
    ...measurement,
    notes: [
      ...measurement.notes,
      ...weightsNotes(record),
      ...(precisionCheck === undefined ? [] : [`${precisionText(precisionCheck)}.`]),
    ],
    ...(training === undefined ? {} : { training }),
    ...(precisionCheck === undefined ? {} : { precisionCheck }),
  };
}

/** Scores as written to scores.tsv: under `paper` in the precision of the comparison. */
export function* writtenScores({ cell }: CellRecord, predictions: Predictions): Generator<Prediction> {
  for (const prediction of predictions) {
    yield cell.protocol === "paper" && prediction.kind === "likelihood"
      ? { ...prediction, values: paperScores(prediction.values, cell.model.scoreRounding) }
      : prediction;
  }
}

/** Contents of scores.tsv: one line per row, in row order. */
export function* scoresTable(scores: ScoreTable, predictions: Iterable<Prediction>): Generator<string> {
  let text = `${scores.columns.join("\t")}\n`;
  for (const prediction of predictions) {
    text += `${scores.line(prediction).join("\t")}\n`;
    if (text.length < 2 ** 18) continue;
    yield text;
    text = "";
  }
  yield text;
}
