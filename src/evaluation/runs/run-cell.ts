import { performance } from "node:perf_hooks";
import { InputError } from "../../base/errors.ts";
import { checkDevice } from "../../net/runtime/program.ts";
import type { RowPredictor } from "../settings/setting.ts";
import type { TrainingRecord } from "../settings/training-record.ts";
import { blocksOf } from "../tasks/row-list.ts";
import type { StageProgress } from "../tasks/task.ts";
import type { Example, RowList, RowNumbers } from "../tasks/task-rows.ts";
import { BLOCK_ROWS, exampleOptions, inScoringOrder } from "./batches.ts";
import { cellName } from "./cell.ts";
import type { PlannedCell } from "./request.ts";
import type { ShardStore } from "./shard-store.ts";
import { partsBetweenLooks } from "./until-width.ts";

export interface RunCellOptions {
  /** The cell's folder. */
  readonly folder: string | undefined;
  /** Folder of trained parameters; undefined: discarded after the run. */
  readonly trained: string | undefined;
  readonly onProgress: OnProgress | undefined;
  /** Stops after the current batch. */
  readonly signal: AbortSignal | undefined;
  /** Called between the parts of `partsBetweenLooks`; true ends the cell before all rows are scored. */
  readonly isNarrow?: (() => Promise<boolean>) | undefined;
}

export interface CellRun {
  readonly rowsDoneBefore: number;
  /** Rows in the store, including those of earlier runs. */
  readonly rowsDone: number;
  /** Present if the predictions were copied from another cell. */
  readonly reused?: true;
  /** Seconds for the rows of this run. */
  readonly seconds: number;
  readonly stopped: boolean;
  /** Loss curves, if the setting trained or reused training; absent when all rows were done. */
  readonly training?: TrainingRecord;
}

/** Scores the remaining rows of a cell's shard batch by batch, with progress and interruption. */
export async function runCell(
  planned: PlannedCell,
  store: Pick<ShardStore, "before" | "finished" | "begin" | "append">,
  { folder, trained, onProgress, signal, isNarrow }: RunCellOptions,
): Promise<CellRun> {
  const { task, model, setting, weights, record } = planned;
  const { cell } = record;
  let rowsDone = store.before.length;
  const perBatch = rowsPerBatch(planned);
  const progress = progressOf(planned, store.before.length, perBatch, onProgress);
  const began = performance.now();
  let predictor: RowPredictor | undefined;
  if (store.finished || store.before.length === planned.rows.length) {
    await store.begin(planned.batchSize);
    return finish(false);
  }
  try {
    // Checked now, not after hours of embedding.
    if (setting.trainingMemory !== undefined) await checkDevice(planned.device);
    predictor = await setting.open({
      task,
      model,
      protocol: cell.protocol,
      seed: cell.seed,
      recipe: cell.recipe,
      ...(weights === undefined ? {} : { weights }),
      batchSize: planned.batchSize,
      device: planned.device,
      threads: planned.threads,
      folder,
      trained,
      embeddings: planned.embeddings?.place,
      signal,
      onNote: (text) => onProgress?.({ kind: "note", cell: planned.name, text }),
      onStage: (stage) => onProgress?.({ kind: "stage", cell: planned.name, ...stage }),
    });
  } catch (error) {
    if (signal?.aborted && error === signal.reason) return finish(true);
    throw error;
  }
  try {
    await store.begin(planned.batchSize);
    for await (const batch of batchesToDo(planned, store.before, perBatch)) {
      if (signal?.aborted) return finish(true);
      if (batch === "look") {
        if (await isNarrow?.()) return finish(false);
        continue;
      }
      const predictions = await predictor.predict(batch);
      await store.append(predictions);
      rowsDone += predictions.length;
      progress.batch(predictions.length);
    }
    return finish(false);
  } finally {
    await predictor.close();
  }

  function finish(stopped: boolean): CellRun {
    const seconds = (performance.now() - began) / 1000;
    if (!stopped) onProgress?.({ kind: "cell-done", cell: planned.name, rows: rowsDone, seconds });
    const { training } = predictor ?? {};
    return {
      rowsDoneBefore: store.before.length,
      rowsDone,
      seconds,
      stopped,
      ...(training === undefined ? {} : { training }),
    };
  }
}

/** Number of rows per call of the model, at least one. */
export function rowsPerBatch({ setting, task, batchSize }: PlannedCell): number {
  return Math.max(1, Math.floor(batchSize / setting.sequencesPerRow(task.task)));
}

/**
 * Remaining batches, identical to those of an uninterrupted run: the rows done are a prefix of the shard's
 * order, and the rest is split as before.
 */
async function* batchesToDo(
  { task, model, rows, record }: PlannedCell,
  done: RowList,
  perBatch: number,
): AsyncGenerator<readonly Example[] | "look"> {
  let at = 0;
  const looks = record.cell.untilWidth !== undefined;
  for (const part of looks ? partsBetweenLooks(rows) : [rows]) {
    for (const block of blocksOf(part, BLOCK_ROWS)) {
      const before = done.slice(at, at + block.length);
      at += block.length;
      yield* batchesOfBlock(block, before);
    }
    // Earlier looks found a wide interval.
    if (looks && at >= done.length) yield "look";
  }

  async function* batchesOfBlock(block: RowNumbers, before: RowNumbers) {
    if (before.length === block.length) {
      expectRows(before, block, record.identity);
      return;
    }
    const examples = inScoringOrder(await task.examples(block, exampleOptions(model)), model);
    checkPrefix(before, examples, record.identity);
    for (let start = before.length; start < examples.length; start += perBatch) {
      yield examples.slice(start, start + perBatch);
    }
  }
}

function expectRows(done: RowNumbers, block: RowNumbers, cell: string) {
  const rows = new Set(done);
  if (block.some((row) => !rows.has(row))) throw otherRows(cell);
}

function checkPrefix(done: RowNumbers, examples: readonly Example[], cell: string) {
  if (done.some((row, i) => examples[i]?.row !== row)) throw otherRows(cell);
}

function otherRows(cell: string) {
  return new InputError(`the stored rows of cell ${cellName(cell)} are not the first ones of its order`, {
    hint: "the model's `tokenCount` may have changed; choose a new folder",
  });
}

/** Window of the speed estimate: a shared machine changes its speed. */
const WINDOW_MS = 30_000;

function progressOf(planned: PlannedCell, before: number, perBatch: number, report: OnProgress | undefined) {
  const { name, record, rows } = planned;
  const { task, dataset, model, setting } = record.cell;
  let rowsDone = before;
  let batch = Math.ceil(before / perBatch);
  const marks = [{ time: performance.now(), rowsDone }];
  report?.({
    kind: "cell-start",
    cell: name,
    task,
    ...(dataset === undefined ? {} : { dataset }),
    model: model.name,
    setting,
    rows: rows.length,
    rowsDoneBefore: before,
    batchSize: planned.batchSize,
  });
  return {
    batch(count: number) {
      rowsDone += count;
      const time = performance.now();
      marks.push({ time, rowsDone });
      while (marks.length > 2 && time - marks[1].time > WINDOW_MS) marks.shift();
      const first = marks[0];
      const rate = (rowsDone - first.rowsDone) / ((time - first.time) / 1000);
      const known = Number.isFinite(rate) && rate > 0;
      report?.({
        kind: "batch",
        cell: name,
        batch: batch++,
        rows: rows.length,
        rowsDone,
        rowsPerSecond: known ? rate : undefined,
        secondsLeft: known ? (rows.length - rowsDone) / rate : undefined,
      });
    },
  };
}

/** Progress of a run. Counts are those of the shard. */
export type ProgressEvent =
  | {
      readonly kind: "cell-start";
      /** Name of the cell's folder: first eight hexadecimal digits of its identity. */
      readonly cell: string;
      readonly task: string;
      /** Name of the data set, for a task with several. */
      readonly dataset?: string;
      readonly model: string;
      readonly setting: string;
      readonly rows: number;
      readonly rowsDoneBefore: number;
      readonly batchSize: number;
    }
  | {
      readonly kind: "batch";
      readonly cell: string;
      /** 0-based number of the batch in the shard, including those done before. */
      readonly batch: number;
      readonly rows: number;
      readonly rowsDone: number;
      /** Over the last batches; undefined until known. */
      readonly rowsPerSecond: number | undefined;
      readonly secondsLeft: number | undefined;
    }
  | ({
      /** Work before the first row is scored, such as training, or after the last, such as clustering. */
      readonly kind: "stage";
      readonly cell: string;
    } & StageProgress)
  | { readonly kind: "note"; readonly cell: string; readonly text: string }
  | { readonly kind: "cell-done"; readonly cell: string; readonly rows: number; readonly seconds: number };

/** Receives the progress of a run. */
export type OnProgress = (event: ProgressEvent) => void;
