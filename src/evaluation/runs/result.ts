import { sha256Hex } from "../../base/digest.ts";
import { stableStringify } from "../../base/json.ts";
import { estimatedRounding } from "../../metrics/ties.ts";
import type { TrainingRecord } from "../settings/training-record.ts";
import { paperScores } from "../tasks/compared-scores.ts";
import type { Measurement } from "../tasks/measurement.ts";
import type { Prediction, Predictions } from "../tasks/prediction.ts";
import type { MeasureWork, Task } from "../tasks/task.ts";
import type { CellRecord } from "./cell.ts";

/**
 * Contents of result.json: what one cell is worth. A function of the cell alone, byte-identical however the
 * run was sharded, interrupted or batched (up to a model's own float rounding between batch shapes).
 */
export interface CellResult extends CellRecord, Measurement {
  readonly format: "dart-eval result";
  readonly formatVersion: 1;
  /** Loss curves, where the setting trained. */
  readonly training?: TrainingRecord;
}

/** How the work on a shard went. Not part of the result, since it changes from run to run. */
export interface ShardTiming {
  readonly shard: { readonly index: number; readonly count: number };
  readonly rows: number;
  /** Rows that the last process scored, in `seconds` of wall-clock time. */
  readonly timedRows: number;
  readonly seconds: number;
  /** Null when the last process found every row done. */
  readonly rowsPerSecond: number | null;
  /** Sequences per call. */
  readonly batchSize: number;
  /** Peak resident memory of the last process, bytes. */
  readonly peakMemory: number;
  /** Versions of the programs that scored its rows, such as `0.1.0+3f7a91c2`; several where the shard was resumed with another one. */
  readonly toolkit: string;
  readonly host: string;
  /** Where the model computed, as it says itself; null when it does not. */
  readonly device: string | null;
}

/** One cell of a run folder, as `readResults` gives it. */
export interface StoredResult {
  /** The cell's folder, with scores.tsv and metrics.json in it. */
  readonly folder: string;
  readonly result: CellResult;
  /** One per shard, in shard order; contents of timing.json. */
  readonly timing: readonly ShardTiming[];
}

/**
 * What a cell's predictions are worth.
 * @param predictions  in row order, so that sums round alike however they were made
 * @throws the signal's reason when measuring took so long that it was stopped
 */
export async function measureCell(
  task: Task,
  { cell, rows }: CellRecord,
  predictions: Predictions,
  work: MeasureWork = {},
): Promise<Measurement> {
  const { protocol, seed, recipe } = cell;
  const scoreRounding = cell.model.scoreRounding ?? estimatedRounding(scoresOf(predictions), task.window);
  const context = { protocol, seed, rowsInTable: rows.inTable, recipe, scoreRounding, work };
  const form = task.settings[cell.setting];
  return form?.measure === undefined
    ? task.measure(predictions, context)
    : form.measure(predictions, context);
}

/** Every number that may be compared with another. */
function* scoresOf(predictions: Predictions): Generator<number> {
  for (const prediction of predictions) {
    if (prediction.kind === "logits") for (const member of prediction.logits) yield* member;
    else if (prediction.kind !== "vector") yield* prediction.values;
  }
}

/** Scores as they are written next to a cell's result: under `paper` in the precision that they are compared in. */
export function* writtenScores({ cell }: CellRecord, predictions: Predictions): Generator<Prediction> {
  for (const prediction of predictions) {
    yield cell.protocol === "paper" && prediction.kind === "likelihood"
      ? { ...prediction, values: paperScores(prediction.values, cell.model.scoreRounding) }
      : prediction;
  }
}

const weightsNotes = ({ cell: { weights, model }, weightsFile }: CellRecord): string[] =>
  weights === undefined
    ? []
    : [`${model.name} was not trained here: evaluated with the weights ${weightsFile}, SHA-256 ${weights}.`];

/** Contents of result.json: a result with the SHA-256 of its stable JSON, by which `readResults` finds changes. */
export function sealed(result: object): object {
  return { ...result, sha256: sha256Hex(stableStringify(result)) };
}

export function cellResult(
  record: CellRecord,
  measurement: Measurement,
  training?: TrainingRecord,
): CellResult {
  return {
    format: "dart-eval result",
    formatVersion: 1,
    ...record,
    ...measurement,
    notes: [...measurement.notes, ...weightsNotes(record)],
    ...(training === undefined ? {} : { training }),
  };
}
