import { hostname } from "node:os";
import { performance } from "node:perf_hooks";
import type { TrainingRecord } from "../settings/training-record.ts";
import type { StageProgress } from "../tasks/task.ts";
import type { PlannedCell, PlannedEmbeddings } from "./request.ts";
import type { Shard } from "./shard.ts";
import type { ShardTiming } from "./shard-store.ts";

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

/** Window of the speed estimate: a shared machine changes its speed. */
const WINDOW_MS = 30_000;

/** Reports the start of a cell, then each batch with the speed. */
export function progressOf(
  planned: PlannedCell,
  before: number,
  perBatch: number,
  report: OnProgress | undefined,
) {
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

/** Outcome of scoring the rows of a cell's shard. */
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

/** Timing of a finished shard, on this machine. @param programs  versions that scored its rows */
export function timingOf(
  run: CellRun,
  planned: PlannedCell,
  shard: Shard,
  programs: readonly string[],
): ShardTiming {
  const timedRows = run.reused ? 0 : run.rowsDone - run.rowsDoneBefore;
  return {
    shard,
    rows: run.rowsDone,
    timedRows,
    seconds: run.seconds,
    rowsPerSecond: timedRows > 0 && run.seconds > 0 ? timedRows / run.seconds : null,
    batchSize: planned.batchSize,
    // maxRSS is in kibibytes.
    peakMemory: process.resourceUsage().maxRSS * 1024,
    toolkit: programs.join(", "),
    host: hostname(),
    device: (planned.setting.onTrainingDevice ? planned.device : planned.model.device) ?? null,
    ...(planned.embeddings === undefined ? {} : { embeddings: storageNote(planned.embeddings) }),
  };
}

const storageNote = ({ place, because }: PlannedEmbeddings) =>
  ({
    storage: place === undefined ? "memory" : place === "recompute" ? place : "disk",
    because,
  }) as const;
