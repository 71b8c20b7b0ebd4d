import { join } from "node:path";
import { InputError } from "../../base/errors.ts";
import { waitForLock } from "../../base/file-lock.ts";
import { type FileData, removeTemporaryFiles, type StagedFile, stageFile } from "../../base/write-file.ts";
import { readNotedTraining } from "../settings/training-record.ts";
import { taskNamed } from "../tasks/catalogue.ts";
import type { Measurement } from "../tasks/measurement.ts";
import { rowsDigest } from "../tasks/row-list.ts";
import type { MeasureWork, Task } from "../tasks/task.ts";
import type { RowList } from "../tasks/task-rows.ts";
import { type Cell, type CellRecord, cellName, cellTitle } from "./cell.ts";
import { collectShards, type FoundShards, findShards } from "./collect-shards.ts";
import { type PrecisionCheck, readPrecisionCheck } from "./precision-record.ts";
import { type CellResult, cellResult, measureCell, scoresTable, writtenScores } from "./result.ts";
import type { OnProgress } from "./run-cell.ts";
import { cellFolder, missingRunError, readableJson, readRunRecord } from "./run-folder.ts";
import { readCellResult, type StoredResult, sealed } from "./stored-results.ts";

/** Options of `mergeRun`. */
export interface MergeOptions {
  /** Custom tasks of the run. */
  readonly tasks?: readonly Task[];
  /** Leaves cells that have a result unchanged, as after adding models; default false. */
  readonly keepResults?: boolean;
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
  { tasks = [], keepResults = false, onProgress, signal }: MergeOptions = {},
): Promise<readonly CellResult[]> {
  const run = await readRunRecord(folder);
  if (run === undefined) throw missingRunError(folder);
  await using _ = await waitForLock(join(folder, "merge.lock"), signal === undefined ? {} : { signal });
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
      else results.push(await mergeCell(folder, cell, { onProgress, signal, tasks, staged }));
    }
    for (const file of staged) await file.commit();
    return results;
  } catch (error) {
    for (const file of staged) await file.discard();
    throw error;
  }
}

interface CellMerge {
  readonly tasks: readonly Task[];
  readonly onProgress: OnProgress | undefined;
  readonly signal: AbortSignal | undefined;
  /** Receives the files of the cell, `result.json` last. */
  readonly staged: StagedFile[];
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

/** Reads and measures the rows of a cell, one cell in memory at a time. */
async function mergeCell(
  folder: string,
  shards: FoundShards,
  { onProgress, signal, tasks, staged }: CellMerge,
): Promise<CellResult> {
  const cell = cellName(shards.record.identity);
  const title = `${shards.record.cell.model.name} under the ${shards.record.cell.protocol} protocol`;
  signal?.throwIfAborted();
  const { predictions, timing, record, task, place, measurement, result } = await measureShards(
    folder,
    shards,
    tasks,
    {
      signal,
      onStage: (stage) => onProgress?.({ kind: "stage", cell, ...stage, stage: `${title}, ${stage.stage}` }),
    },
  );
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
  return result;
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
