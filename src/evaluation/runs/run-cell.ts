import { performance } from "node:perf_hooks";
import { InputError } from "../../base/errors.ts";
import type { RowPredictor } from "../settings/setting.ts";
import type { TrainingRecord } from "../settings/training-record.ts";
import type { Example, RowNumbers, StageProgress } from "../tasks/task.ts";
import { blocksOf, inScoringOrder, lettersFor } from "./batches.ts";
import { cellName } from "./cell.ts";
import type { PlannedCell } from "./request.ts";
import type { ShardStore } from "./shard-store.ts";

export interface RunCellOptions {
  /** The cell's folder. */
  readonly folder: string | undefined;
  /** The folder of what the run's cells train; undefined: kept for this run alone. */
  readonly trained: string | undefined;
  readonly onProgress: OnProgress | undefined;
  /** Stops after the batch at work. */
  readonly signal: AbortSignal | undefined;
}

export interface CellRun {
  readonly rowsDoneBefore: number;
  /** Rows in the store now, those of earlier runs included. */
  readonly rowsDone: number;
  /** The answers were taken from another cell; no model was asked. */
  readonly taken?: true;
  /** Seconds spent on the rows done now. */
  readonly seconds: number;
  readonly stopped: boolean;
  /** Loss curves, where the setting trained or found what was trained; absent where there was nothing to answer. */
  readonly training?: TrainingRecord;
}

/**
 * Scores the rows of one shard of a cell that the store does not hold yet, batch by batch. The only place that
 * knows of batches, progress and interruption.
 */
export async function runCell(
  planned: PlannedCell,
  store: Pick<ShardStore, "before" | "begin" | "append">,
  { folder, trained, onProgress, signal }: RunCellOptions,
): Promise<CellRun> {
  const { task, model, setting, weights, record } = planned;
  const { cell } = record;
  let rowsDone = store.before.length;
  const perBatch = rowsPerBatch(planned);
  const progress = progressOf(planned, store.before.length, perBatch, onProgress);
  const began = performance.now();
  let answerer: RowPredictor | undefined;
  if (store.before.length === planned.rows.length) {
    await store.begin(planned.batchSize);
    return finish(false);
  }
  try {
    answerer = await setting.open({
      task,
      model,
      protocol: cell.protocol,
      seed: cell.seed,
      recipe: cell.recipe,
      ...(weights === undefined ? {} : { weights }),
      batchSize: planned.batchSize,
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
      const answers = await answerer.answer(batch);
      await store.append(answers);
      rowsDone += answers.length;
      progress.batch(answers.length);
    }
    return finish(false);
  } finally {
    await answerer.close();
  }

  function finish(stopped: boolean): CellRun {
    const seconds = (performance.now() - began) / 1000;
    if (!stopped) onProgress?.({ kind: "cell-done", cell: planned.name, rows: rowsDone, seconds });
    const { training } = answerer ?? {};
    return {
      rowsDoneBefore: store.before.length,
      rowsDone,
      seconds,
      stopped,
      ...(training === undefined ? {} : { training }),
    };
  }
}

/** Rows whose sequences together make one call of the model, at least one. */
function rowsPerBatch({ setting, task, batchSize }: PlannedCell): number {
  return Math.max(1, Math.floor(batchSize / setting.sequencesPerRow(task.task)));
}

/**
 * The batches that are still to do: the same ones, of the same rows, as an uninterrupted run has, because what is done is
 * a beginning of the shard's order and the rest is cut as before.
 */
async function* batchesToDo(
  { task, model, rows, record }: PlannedCell,
  done: RowNumbers,
  perBatch: number,
): AsyncGenerator<readonly Example[]> {
  let at = 0;
  for (const block of blocksOf(rows)) {
    const before = done.subarray(at, at + block.length);
    at += block.length;
    if (before.length === block.length) {
      expectRows(before, block, record.identity);
      continue;
    }
    const examples = inScoringOrder(await task.examples(block, lettersFor(model)), model);
    expectPrefix(before, examples, record.identity);
    for (let start = before.length; start < examples.length; start += perBatch) {
      yield examples.slice(start, start + perBatch);
    }
  }
}

function expectRows(done: RowNumbers, block: RowNumbers, cell: string) {
  const rows = new Set(done);
  if (block.some((row) => !rows.has(row))) throw otherRows(cell);
}

function expectPrefix(done: RowNumbers, examples: readonly Example[], cell: string) {
  if (done.some((row, i) => examples[i]?.row !== row)) throw otherRows(cell);
}

function otherRows(cell: string) {
  return new InputError(`the rows kept for cell ${cellName(cell)} are not those that it would score first`, {
    hint: "does the model count the tokens of a sequence otherwise than before? Choose a new folder",
  });
}

/** Speed over the last half minute, since a machine shared with others does not keep its speed. */
const WINDOW_MS = 30_000;

function progressOf(planned: PlannedCell, before: number, perBatch: number, tell: OnProgress | undefined) {
  const { name, record, rows } = planned;
  const { task, dataset, model, setting } = record.cell;
  let rowsDone = before;
  let batch = Math.ceil(before / perBatch);
  const marks = [{ time: performance.now(), rowsDone }];
  tell?.({
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
      tell?.({
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

/** What a run tells while it goes. Counts are of this shard unless said otherwise. */
export type ProgressEvent =
  | {
      readonly kind: "cell-start";
      /** The folder's name: first eight hexadecimal digits of the cell's identity. */
      readonly cell: string;
      readonly task: string;
      /** The name of the data set where the task has several. */
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
      /** 0-based number of the batch in the shard, those done before included. */
      readonly batch: number;
      readonly rows: number;
      readonly rowsDone: number;
      /** Over the last batches; undefined until there is something to divide by. */
      readonly rowsPerSecond: number | undefined;
      readonly secondsLeft: number | undefined;
    }
  | ({
      /** Work before the first row is answered, such as training, or after the last, such as clustering. */
      readonly kind: "stage";
      readonly cell: string;
    } & StageProgress)
  | { readonly kind: "note"; readonly cell: string; readonly text: string }
  | { readonly kind: "cell-done"; readonly cell: string; readonly rows: number; readonly seconds: number };

/** Receives the progress of a run. */
export type OnProgress = (event: ProgressEvent) => void;
