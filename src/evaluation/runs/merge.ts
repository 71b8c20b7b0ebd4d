import { join } from "node:path";
import { InputError } from "../../base/errors.ts";
import { waitForLock } from "../../base/file-lock.ts";
import { withoutUndefined } from "../../base/record.ts";
import { type FileData, removeTemporaryFiles, type StagedFile, stageFile } from "../../base/write-file.ts";
import { estimatedRounding } from "../../metrics/ties.ts";
import { readNotedTraining } from "../settings/training-record.ts";
import { taskNamed } from "../tasks/catalogue.ts";
import { paperScores } from "../tasks/compared-scores.ts";
import type { Measurement } from "../tasks/measurement.ts";
import type { Prediction, Predictions } from "../tasks/prediction.ts";
import { rowsDigest } from "../tasks/row-list.ts";
import type { MainStatistic, MeasureContext, MeasureWork, ScoreTable, Task } from "../tasks/task.ts";
import type { RowList } from "../tasks/task-rows.ts";
import { type Cell, type CellRecord, cellName, cellTitle } from "./cell.ts";
import { collectShards, type FoundShards, findShards } from "./collect-shards.ts";
import { type PrecisionCheck, precisionText, readPrecisionCheck } from "./precision-record.ts";
import type { OnProgress } from "./progress.ts";
import { cellFolder, missingRunError, readableJson, readRunRecord } from "./run-folder.ts";
import {
  type CellResult,
  FORMAT_VERSION,
  readCellResult,
  type StoredResult,
  sealed,
} from "./stored-results.ts";
import { withAnyTimeInterval } from "./until-width.ts";

/** Options of `mergeRun`. */
export interface MergeOptions {
  /** Custom tasks of the run. */
  readonly tasks?: readonly Task[];
  /** Leaves cells that have a result unchanged, as after adding models; default false. */
  readonly keepResults?: boolean;
  /**
   * Identities of the cells to merge, each by itself; default: all cells of the run, whose files appear
   * together. Processes can merge different cells at the same time.
   */
  readonly cells?: readonly string[];
  /** Reports long-running measurements. */
  readonly onProgress?: OnProgress;
  /**
   * Aborting rejects `mergeRun` with the signal's reason; finished parts of a measurement are kept in the
   * cell's folder.
   */
  readonly signal?: AbortSignal;
}

/**
 * Merges the shards of every cell of a run, and writes scores.tsv, metrics.json, timing.json and, last,
 * result.json into each cell's folder. Needs neither genome nor model. Repeating it writes the same bytes.
 *
 * @throws {InputError} naming every shard that is missing, unfinished, duplicate, changed, or of another run
 *   or split, or a row that is not of its cell; no file of any cell is written in that case
 * @throws the signal's reason
 */
export async function mergeRun(
  folder: string,
  { tasks = [], keepResults = false, cells, onProgress, signal }: MergeOptions = {},
): Promise<readonly CellResult[]> {
  const run = await readRunRecord(folder);
  if (run === undefined) throw missingRunError(folder);
  const work = { onProgress, signal, tasks };
  if (cells !== undefined) {
    const results: CellResult[] = [];
    for (const record of run.cells.filter(({ identity }) => cells.includes(identity))) {
      results.push(await mergeAlone(folder, await findShards(folder, record), work));
    }
    return results;
  }
  await using _ = await mergeLock(folder, signal);
  const found: (FoundShards | CellResult)[] = [];
  for (const record of run.cells) {
    const kept = keepResults ? (await readCellResult(cellFolder(folder, record)))?.result : undefined;
    found.push(kept?.identity === record.identity ? kept : await findShards(folder, record));
  }
  const staged: StagedFile[] = [];
  try {
    // The files of all cells appear when the rows of the last cell are read and measured.
    const results: CellResult[] = [];
    for (const cell of found) {
      if (!("shards" in cell)) results.push(cell);
      else {
        const measured = await measureWithProgress(folder, cell, work);
        results.push(measured.result);
        await stageCell(measured, staged);
      }
    }
    for (const file of staged) await file.commit();
    return results;
  } catch (error) {
    for (const file of staged) await file.discard();
    throw error;
  }
}

interface MergeWork {
  readonly tasks: readonly Task[];
  readonly onProgress: OnProgress | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Lock of the files that merging writes. */
const mergeLock = (folder: string, signal: AbortSignal | undefined) =>
  waitForLock(join(folder, "merge.lock"), { pause: LOCK_PAUSE_MS, signal });

/** Other processes mostly hold the lock for the time of writing a cell's files. */
const LOCK_PAUSE_MS = 100;

/** Measures a cell, then writes its files under the lock. */
async function mergeAlone(folder: string, shards: FoundShards, work: MergeWork): Promise<CellResult> {
  const measured = await measureWithProgress(folder, shards, work);
  await using _ = await mergeLock(folder, work.signal);
  const staged: StagedFile[] = [];
  try {
    await stageCell(measured, staged);
    for (const file of staged) await file.commit();
    return measured.result;
  } catch (error) {
    for (const file of staged) await file.discard();
    throw error;
  }
}

/**
 * Result of a cell whose shards are finished, as merging would write it; writes nothing.
 *
 * @throws {InputError} naming every shard that is missing, unfinished, duplicate or changed
 */
export async function unmergedResult(
  folder: string,
  record: CellRecord,
  tasks: readonly Task[] = [],
): Promise<StoredResult> {
  const place = cellFolder(folder, record);
  const measured = await measureShards(folder, await findShards(folder, record), tasks, { readOnly: true });
  return { folder: place, result: measured.result, timing: measured.timing };
}

async function measureShards(folder: string, shards: FoundShards, tasks: readonly Task[], work: MeasureWork) {
  const { predictions, timing } = await collectShards(shards);
  const record = withScoredRows(shards.record, predictions.rowList);
  const task = taskNamed(record.cell.task, tasks);
  checkVersion(folder, task, record.cell);
  const place = cellFolder(folder, record);
  const measurement = await measureCell(task, record, predictions, { folder: place, ...work });
  const result = cellResult(record, measurement, {
    training: await readNotedTraining(place),
    precisionCheck: await passedCheck(place, record),
  });
  return { predictions, timing, record, task, place, measurement, result };
}

/** Reads and measures the rows of a cell. */
async function measureWithProgress(
  folder: string,
  shards: FoundShards,
  { onProgress, signal, tasks }: MergeWork,
) {
  const cell = cellName(shards.record.identity);
  const title = `${shards.record.cell.model.name} under the ${shards.record.cell.protocol} protocol`;
  signal?.throwIfAborted();
  return measureShards(folder, shards, tasks, {
    signal,
    onStage: (stage) => onProgress?.({ kind: "stage", cell, ...stage, stage: `${title}, ${stage.stage}` }),
  });
}

/** Writes the temporary files of a measured cell, `result.json` last. */
async function stageCell(
  {
    predictions,
    timing,
    record,
    task,
    place,
    measurement,
    result,
  }: Awaited<ReturnType<typeof measureShards>>,
  staged: StagedFile[],
): Promise<void> {
  const write = async (name: string, text: FileData) => {
    const path = join(place, name);
    await removeTemporaryFiles(path);
    staged.push(await stageFile(path, text));
  };
  const form = task.settings[record.cell.setting];
  await write("scores.tsv", scoresTable(form?.scores ?? task.scores, writtenScores(record, predictions)));
  if (form?.publishedFile !== undefined) {
    const name = `${form.publishedFile}_${record.cell.split}.json`;
    await write(name, readableJson(measurement.published));
  }
  if (form?.publishedTable !== undefined) {
    const { name, text } = form.publishedTable;
    await write(name, text(measurement));
  }
  await write("metrics.json", readableJson(metricsRecord(record.cell, measurement)));
  await write("timing.json", readableJson(timing));
  await write("result.json", readableJson(sealed(result)));
}

/** @throws {InputError} when a cell in a reduced precision has no check */
async function passedCheck(place: string, { cell }: CellRecord): Promise<PrecisionCheck | undefined> {
  if (cell.precision === undefined) return undefined;
  const check = await readPrecisionCheck(place);
  if (check !== undefined) return check;
  throw new InputError(`the check of ${cellTitle(cell)} against f32 is missing`, {
    place: { file: join(place, "precision.json") },
    hint: "the file was deleted: run the cell again in a new folder",
  });
}

/** A record with the rows of a cell that ended at a narrow interval; other records unchanged. */
function withScoredRows(record: CellRecord, scored: RowList): CellRecord {
  const { rows } = record;
  if (scored.length === rows.selected) return record;
  const selected = { selected: scored.length, planned: rows.selected, digest: rowsDigest(scored) };
  return { ...record, rows: { ...rows, ...selected } };
}

function checkVersion(folder: string, task: Task, cell: Cell) {
  if (task.version === cell.taskVersion) return;
  throw new InputError(
    `the rows were scored by version ${cell.taskVersion} of the task ${task.name}; this is version ${task.version}`,
    { place: { file: folder }, hint: "merge with the version of dart-eval that ran it, or run it again" },
  );
}

/** Contents of metrics.json: DART-Eval's keys first, then ours. */
export function metricsRecord(cell: Cell, measurement: Measurement) {
  const { published, metrics, ...rest } = measurement;
  return { ...published, protocol: cell.protocol, metrics, ...rest };
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
    ...withoutUndefined({ training, precisionCheck }),
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
