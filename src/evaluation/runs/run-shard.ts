import { hostname } from "node:os";
import { InputError } from "../../base/errors.ts";
import { kindOfPath } from "../../base/folder.ts";
import { programVersion } from "../../base/package.ts";
import { ColumnsBuilder } from "../tasks/columns-builder.ts";
import type { Measurement } from "../tasks/measurement.ts";
import type { Plan, PlannedCell } from "./request.ts";
import { measureCell, type ShardTiming } from "./result.ts";
import { type CellRun, type OnProgress, runCell } from "./run-cell.ts";
import { cellFolder, enterRunFolder, shardPaths } from "./run-folder.ts";
import type { Shard } from "./shard.ts";
import { readShardFile } from "./shard-file.ts";
import { openShardStore, readShardDone, type ShardStore } from "./shard-store.ts";

/** Options of `runShard`. */
export interface RunOptions {
  readonly onProgress?: OnProgress;
  /** Stops after the current batch; what is finished stays, the next run goes on from there. */
  readonly signal?: AbortSignal;
  /** Measure each shard by itself; default: where the run has several, since merging measures the whole. */
  readonly measure?: boolean;
}

/** What a shard of one cell came to. */
export interface ShardOutcome {
  /** The cell's folder name. */
  readonly cell: string;
  readonly rows: number;
  /** Rows finished by earlier runs. */
  readonly rowsDoneBefore: number;
  readonly rowsDone: number;
  readonly seconds: number;
  /** "stopped": the signal came first; start the same command again to go on. */
  readonly state: "done" | "stopped";
  /** Metrics over this shard's rows; null when stopped, not wanted, without rows, or where only the whole is measured. */
  readonly measurement: Measurement | null;
}

/**
 * Runs the plan's shard of every cell into the plan's folder, or goes on where an earlier run stopped or was killed.
 * Finished batches are never scored again; the rest is scored in the batches an uninterrupted run would have had,
 * unless memory has become too little for the batch size that the shard was begun with, which the plan then notes.
 *
 * @throws {InputError} when another process works on the same shard, the disk is full, a stored line is damaged, or the
 *   model gives back something that is not one finite number per sequence
 */
export async function runShard(plan: Plan, options: RunOptions = {}): Promise<readonly ShardOutcome[]> {
  const { folder, shard } = plan;
  const { onProgress, signal } = options;
  if (folder === undefined) {
    throw new InputError("this run was planned without a folder, so there is no place for its rows", {
      hint: "give `folder` when planning, or use `evaluate` for a run in memory",
    });
  }
  await enterRunFolder(
    folder,
    plan.cells.map(({ record }) => record),
  );
  const stores: ShardStore[] = [];
  try {
    // All locks first: whether the work may be done is known before any of it is.
    for (const { name, record, rows } of plan.cells) {
      const of = { folder, record, shard, rows: rows.length };
      const onWatch = (text: string) => onProgress?.({ kind: "note", cell: name, text });
      stores.push(await openShardStore(of, { signal, onWatch }));
    }
    const outcomes: ShardOutcome[] = [];
    for (const [i, planned] of plan.cells.entries()) {
      outcomes.push(await runInto(stores[i], planned, { ...plan, folder }, options));
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
  { onProgress, signal, measure = shard.count > 1 }: RunOptions,
): Promise<ShardOutcome> {
  const program = await programVersion();
  const others = store.programs.filter((other) => other !== program);
  if (others.length > 0 && !store.finished) {
    onProgress?.({
      kind: "note",
      cell: planned.name,
      text: `this shard was begun with dart-eval ${others.join(", ")} and continues with ${program}: the result names both`,
    });
  }
  const taken = await reusePredictions(planned, store, shard);
  if (taken !== undefined) {
    onProgress?.({
      kind: "note",
      cell: planned.name,
      text: `the answers are those of cell ${planned.answersOf!.name}: both protocols ask the same of the model`,
    });
  }
  const run =
    taken ??
    (await runCell(planned, store, {
      folder: cellFolder(folder, planned.record),
      trained,
      onProgress,
      signal,
    }));
  if (!run.stopped && !store.finished) await store.finish(timingOf(run, planned, shard, store.programs));
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

async function measureShard({ task: { task }, record, rows }: PlannedCell, folder: string, shard: Shard) {
  const predictions = new ColumnsBuilder(rows.length);
  await readShardFile(shardPaths(folder, record, shard).rows, (batch) => predictions.add(batch));
  return measureCell(task, record, predictions.done().inRowOrder());
}

function timingOf(
  run: CellRun,
  planned: PlannedCell,
  shard: Shard,
  programs: readonly string[],
): ShardTiming {
  const timedRows = run.taken ? 0 : run.rowsDone - run.rowsDoneBefore;
  return {
    shard,
    rows: planned.rows.length,
    timedRows,
    seconds: run.seconds,
    rowsPerSecond: timedRows > 0 && run.seconds > 0 ? timedRows / run.seconds : null,
    batchSize: planned.batchSize,
    // maxRSS is in kibibytes.
    peakMemory: process.resourceUsage().maxRSS * 1024,
    toolkit: programs.join(", "),
    host: hostname(),
    device: planned.setting.computedOn ?? planned.model.device ?? null,
  };
}

/** Rows written at once. */
const REUSED_BLOCK_ROWS = 4096;

/**
 * Writes into a shard's store the answers that another cell has to the same questions.
 *
 * @returns  undefined where there are none to take: no such cell, its shard is not finished, or this one was begun otherwise
 * @throws {InputError} when what is kept there is damaged
 */
async function reusePredictions(
  { answersOf, rows }: PlannedCell,
  store: ShardStore,
  shard: Shard,
): Promise<CellRun | undefined> {
  if (answersOf === undefined || store.before.length === rows.length) return undefined;
  const paths = shardPaths(answersOf.folder, answersOf.record, shard);
  if ((await kindOfPath(paths.rows)) !== "file") return undefined;
  if ((await readShardDone(paths.done)) === undefined) return undefined;
  const began = performance.now();
  const answers = new ColumnsBuilder(rows.length);
  const contents = await readShardFile(paths.rows, (batch) => answers.add(batch));
  if (contents.header === undefined || contents.rows !== rows.length) return undefined;
  const predictions = answers.done();
  if (store.before.some((row, i) => predictions.rows[i] !== row)) return undefined;
  await store.begin(contents.header.batchSize);
  for (let start = store.before.length; start < predictions.length; start += REUSED_BLOCK_ROWS) {
    await store.append(predictions.slice(start, start + REUSED_BLOCK_ROWS));
  }
  return {
    rowsDoneBefore: store.before.length,
    rowsDone: rows.length,
    seconds: (performance.now() - began) / 1000,
    stopped: false,
    taken: true,
  };
}
