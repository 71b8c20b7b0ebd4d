import { performance } from "node:perf_hooks";
import { InputError } from "../../base/errors.ts";
import { type LockHeld, LockLost } from "../../base/file-lock.ts";
import { kindOfPath } from "../../base/folder.ts";
import { programVersion } from "../../base/package.ts";
import { checkDevice } from "../../net/runtime/program.ts";
import type { RowPredictor } from "../settings/setting.ts";
import { ColumnsBuilder } from "../tasks/columns-builder.ts";
import type { Measurement } from "../tasks/measurement.ts";
import { blocksOf } from "../tasks/row-list.ts";
import { inRowOrder } from "../tasks/row-order.ts";
import type { Example, RowList, RowNumbers } from "../tasks/task-rows.ts";
import {
  BLOCK_ROWS,
  checkPrefix,
  exampleOptions,
  expectRows,
  inScoringOrder,
  rowsPerBatch,
} from "./batches.ts";
import { extendRun } from "./extend-run.ts";
import { mainStatisticOf, measureCell } from "./merge.ts";
import { checkPrecision } from "./precision-check.ts";
import { type CellRun, type OnProgress, progressOf, timingOf } from "./progress.ts";
import type { Plan, PlannedCell } from "./request.ts";
import { cellFolder, enterRunFolder, shardPaths } from "./run-folder.ts";
import type { Shard } from "./shard.ts";
import { readShardFile } from "./shard-file.ts";
import { openShardStore, readShardDone, type ShardStore } from "./shard-store.ts";
import { isNarrow, partsBetweenLooks } from "./until-width.ts";

/** Options of `runShard`. */
export interface RunOptions {
  readonly onProgress?: OnProgress;
  /** Stops after the current batch; the next run resumes. */
  readonly signal?: AbortSignal;
  /** Wait while another process works on the shard; default false. */
  readonly wait?: boolean;
  /** Compute metrics of the shard; default: if the run has several shards. */
  readonly measure?: boolean;
  /** Command line of the process, for the shard's record. */
  readonly command?: string | undefined;
  /** Cells of the plan to run; default: all. */
  readonly cells?: readonly PlannedCell[];
}

/** Outcome of a shard of one cell. */
export interface ShardOutcome {
  /** The cell's folder name. */
  readonly cell: string;
  readonly rows: number;
  /** Rows done by earlier runs. */
  readonly rowsDoneBefore: number;
  readonly rowsDone: number;
  readonly seconds: number;
  /** "stopped" by the signal: the same run resumes. */
  readonly state: "done" | "stopped";
  /**
   * Metrics of this shard's rows; null if stopped, not requested, without rows, or for settings measured as a
   * whole.
   */
  readonly measurement: Measurement | null;
}

/**
 * Runs the plan's shard of every cell in the plan's folder, or resumes it after an interruption or a kill.
 * Finished batches are not scored again, and the remaining batches are those of an uninterrupted run, unless
 * there is too little memory for the batch size of the earlier run, which the plan notes.
 *
 * @throws {InputError} when another process works on the same shard (unless `wait`), the disk is full, a
 *   stored line is damaged, or the model does not return one finite number per sequence
 */
export async function runShard(plan: Plan, options: RunOptions = {}): Promise<readonly ShardOutcome[]> {
  const { folder, shard } = plan;
  const { onProgress, signal, wait = false, cells = plan.cells } = options;
  if (folder === undefined) {
    throw new InputError("this run was planned without a folder", {
      hint: "pass `folder` to planRun, or use `evaluate` for a run in memory",
    });
  }
  const records = plan.cells.map(({ record }) => record);
  await (plan.extend ? extendRun(folder, records) : enterRunFolder(folder, records, plan.command));
  const stores: ShardStore[] = [];
  try {
    // All locks are taken before any work starts.
    for (const { name, record, rows } of cells) {
      const of = { folder, record, shard, rows: rows.length };
      const onWatch = (text: string) => onProgress?.({ kind: "note", cell: name, text });
      const onWait = (held: LockHeld) => onWatch(`waiting for this shard: ${held.message}`);
      stores.push(await openShardStore(of, { wait, signal, onWatch, onWait }));
    }
    const outcomes: ShardOutcome[] = [];
    for (const [i, planned] of cells.entries()) {
      outcomes.push(
        await runInto(stores[i], planned, { ...plan, folder }, options).catch(async (error: unknown) => {
          if (!signal?.aborted && !(error instanceof LockLost)) await stores[i].fail(error);
          throw error;
        }),
      );
      await stores[i].close();
    }
    return outcomes;
  } finally {
    for (const store of stores) await store.close();
  }
}

async function runInto(
  store: ShardStore,
  planned: PlannedCell,
  { folder, trained, shard }: Omit<Plan, "folder"> & { readonly folder: string },
  { onProgress, signal, measure = shard.count > 1, command }: RunOptions,
): Promise<ShardOutcome> {
  const started = new Date();
  const program = programVersion();
  const others = store.programs.filter((other) => other !== program);
  if (others.length > 0 && !store.finished) {
    onProgress?.({
      kind: "note",
      cell: planned.name,
      text: `this shard was started with dart-eval ${others.join(", ")} and resumes with ${program}: the result names both`,
    });
  }
  const place = cellFolder(folder, planned.record);
  const isScored = store.finished || store.before.length === planned.rows.length;
  if (!isScored) await checkPrecision(planned, { folder: place, onProgress, signal });
  const reused = await reusePredictions(planned, store, shard);
  if (reused !== undefined && planned.reuses !== undefined) {
    onProgress?.({
      kind: "note",
      cell: planned.name,
      text: `the predictions are those of cell ${planned.reuses.name}, which are equal under both protocols`,
    });
  }
  const run =
    reused ??
    (await runCell(planned, store, {
      folder: place,
      trained,
      onProgress,
      signal,
      isNarrow: () => isShardNarrow(planned, folder, shard),
    }));
  if (!run.stopped && !store.finished) {
    const timing = timingOf(run, planned, shard, store.programs);
    const finished = new Date().toISOString();
    const times = { started: started.toISOString(), finished };
    await store.finish({ ...timing, ...times, ...(command === undefined ? {} : { command }) }, run.rowsDone);
  }
  const form = planned.task.task.settings[planned.setting.name];
  return {
    cell: planned.name,
    rows: planned.rows.length,
    rowsDoneBefore: run.rowsDoneBefore,
    rowsDone: run.rowsDone,
    seconds: run.seconds,
    state: run.stopped ? "stopped" : "done",
    measurement:
      !measure || run.stopped || run.rowsDone === 0 || form?.measuredWhole
        ? null
        : await measureShard(planned, folder, shard),
  };
}

/** True if the rows of a shard so far suffice for the width of its cell. */
async function isShardNarrow({ task: { task }, record }: PlannedCell, folder: string, shard: Shard) {
  const { untilWidth } = record.cell;
  if (untilWidth === undefined) return false;
  const predictions = new ColumnsBuilder(record.rows.selected);
  await readShardFile(shardPaths(folder, record, shard).rows, (batch) => predictions.add(batch));
  const main = await mainStatisticOf(task, record, inRowOrder(predictions.done()));
  return main !== undefined && isNarrow(main, untilWidth);
}

async function measureShard({ task: { task }, record, rows }: PlannedCell, folder: string, shard: Shard) {
  const predictions = new ColumnsBuilder(rows.length);
  await readShardFile(shardPaths(folder, record, shard).rows, (batch) => predictions.add(batch));
  return measureCell(task, record, inRowOrder(predictions.done()));
}

/** Rows per write. */
const REUSED_BLOCK_ROWS = 4096;

/**
 * Copies the predictions of another cell into a shard's store.
 *
 * @returns  undefined if there are none: no such cell, its shard is not finished, or this shard has other
 *   rows already
 * @throws {InputError} when the other shard is damaged
 */
async function reusePredictions(
  { reuses, rows }: PlannedCell,
  store: ShardStore,
  shard: Shard,
): Promise<CellRun | undefined> {
  if (reuses === undefined || store.before.length === rows.length) return undefined;
  const paths = shardPaths(reuses.folder, reuses.record, shard);
  if ((await kindOfPath(paths.rows)) !== "file") return undefined;
  if ((await readShardDone(paths.done)) === undefined) return undefined;
  const began = performance.now();
  const builder = new ColumnsBuilder(rows.length);
  const contents = await readShardFile(paths.rows, (batch) => builder.add(batch));
  if (contents.header === undefined || contents.rows !== rows.length) return undefined;
  const predictions = builder.done();
  let at = 0;
  const scored = predictions.rowList;
  for (const before of blocksOf(store.before)) {
    const same = scored.slice(at, at + before.length);
    if (before.some((row, i) => row !== same[i])) return undefined;
    at += before.length;
  }
  await store.begin(contents.header.batchSize);
  for (let start = store.before.length; start < predictions.length; start += REUSED_BLOCK_ROWS) {
    await store.append(predictions.slice(start, start + REUSED_BLOCK_ROWS));
  }
  return {
    rowsDoneBefore: store.before.length,
    rowsDone: rows.length,
    seconds: (performance.now() - began) / 1000,
    stopped: false,
    reused: true,
  };
}

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
