import { hostname } from "node:os";
import { join } from "node:path";
import { InputError } from "../../base/errors.ts";
import { lockHolder } from "../../base/file-lock.ts";
import { kindOfPath, namesInFolder, sizeBelow } from "../../base/folder.ts";
import { diskTime } from "../../base/write-file.ts";
import { type CellRecord, cellName } from "./cell.ts";
import { cellFolder, missingRunError, readRunRecord, rowsFolder, shardPaths } from "./run-folder.ts";
import type { Shard } from "./shard.ts";
import { readFailure, readScoring, readShardFile, type ScoringNote } from "./shard-file.ts";
import { readShardDone } from "./shard-store.ts";

/**
 * State of a shard: "done"; "running"; "stale": its process ended without notice, or its machine is silent;
 * "failed" with an error; "stopped" by the user; "waiting": not started.
 */
export type ShardPhase = "done" | "running" | "stale" | "failed" | "stopped" | "waiting";

/** State of one shard of a cell. */
export interface ShardStatus {
  readonly shard: Shard;
  readonly phase: ShardPhase;
  /** Rows in the shard; null before a process has begun it. */
  readonly rows: number | null;
  readonly rowsDone: number;
  /** Process that holds or held the shard; absent for one that is done, stopped or waiting. */
  readonly process?: { readonly host: string; readonly pid: number; readonly since: string };
  /** Last error. */
  readonly message?: string;
  /** Rows per second since the process began to score; null until known. */
  readonly rowsPerSecond: number | null;
  readonly secondsLeft: number | null;
}

/** State of one cell of a run. */
export interface CellStatus {
  readonly record: CellRecord;
  /** The cell's folder name. */
  readonly name: string;
  readonly rowsDone: number;
  /** Metrics are computed. */
  readonly merged: boolean;
  /** All shards of the split; empty before the first one is begun. */
  readonly shards: readonly ShardStatus[];
  /** Sum over running shards; null until known. */
  readonly rowsPerSecond: number | null;
  /** Until the last running shard is done; null until known. */
  readonly secondsLeft: number | null;
}

/** State of a run, of all its processes on any machine. */
export interface RunStatus {
  readonly folder: string;
  readonly cells: readonly CellStatus[];
}

/** Rows counted in a file of a given size and time, for repeated calls. */
type CountedRows = Map<
  string,
  { readonly bytes: number; readonly newest: number; readonly counts: RowCounts }
>;
interface RowCounts {
  readonly rows: number | null;
  readonly rowsDone: number;
  readonly damage?: string;
}

/**
 * Reads the state of a run from its folder, while other processes write to it. Changes nothing. Times of
 * processes on other machines are measured by the clock of the disk, because the clocks of machines differ.
 *
 * @param counted  cache for repeated calls
 * @throws {InputError} when the folder is not a run
 */
export async function runStatus(folder: string, counted: CountedRows = new Map()): Promise<RunStatus> {
  const run = await readRunRecord(folder);
  if (run === undefined) throw missingRunError(folder);
  let time: Promise<number> | undefined;
  const now = (path: string) => {
    time ??= diskTime(path);
    return time;
  };
  const cells: CellStatus[] = [];
  for (const record of run.cells) cells.push(await cellStatus(folder, record, { counted, now }));
  return { folder, cells };
}

/** State shared by the status of all shards of a run. */
interface StatusContext {
  readonly counted: CountedRows;
  /** Time by the clock of the disk of a path, see `diskTime`. */
  readonly now: (path: string) => Promise<number>;
}

async function cellStatus(folder: string, record: CellRecord, context: StatusContext): Promise<CellStatus> {
  const place = rowsFolder(folder, record);
  const names = (await kindOfPath(place)) === "folder" ? await namesInFolder(place) : [];
  const counts = names.map((name) => Number(/^\d+-of-(\d+)\./.exec(name)?.[1] ?? 0));
  const count = Math.max(0, ...counts);
  const shards: ShardStatus[] = [];
  for (let index = 1; index <= count; index++) {
    shards.push(await shardStatus(folder, record, { index, count }, context));
  }
  const running = shards.filter(({ phase }) => phase === "running");
  const rates = running.flatMap(({ rowsPerSecond }) => rowsPerSecond ?? []);
  const left = running.flatMap(({ secondsLeft }) => secondsLeft ?? []);
  return {
    record,
    name: cellName(record.identity),
    rowsDone: shards.reduce((sum, { rowsDone }) => sum + rowsDone, 0),
    merged: (await kindOfPath(join(cellFolder(folder, record), "result.json"))) === "file",
    shards,
    rowsPerSecond: rates.length === 0 ? null : rates.reduce((sum, rate) => sum + rate, 0),
    secondsLeft: left.length === 0 ? null : Math.max(...left),
  };
}

async function shardStatus(
  folder: string,
  record: CellRecord,
  shard: Shard,
  { counted, now }: StatusContext,
): Promise<ShardStatus> {
  const paths = shardPaths(folder, record, shard);
  const idle = { shard, rowsPerSecond: null, secondsLeft: null };
  // The holder is read before the record, because finishing a shard removes its lock.
  const before = await lockHolder(paths.lock, () => now(paths.lock));
  const done = await readShardDone(paths.done);
  if (done !== undefined) {
    return {
      ...idle,
      phase: "done",
      rows: done.rows,
      rowsDone: done.rows,
      rowsPerSecond: done.timing.rowsPerSecond,
    };
  }
  const { rows, rowsDone, damage } = await countRows(paths.rows, counted);
  const failure = await readFailure(paths.failed);
  if (before !== undefined) {
    const { state, ...process } = before;
    if (state !== "alive") return { ...idle, phase: "stale", rows, rowsDone, process };
    const note = await readScoring(paths.scoring);
    // An earlier note is of another process.
    const scoring = note !== undefined && note.since >= process.since ? note : undefined;
    const seconds = await scoringSeconds(paths.scoring, scoring, process.host, now);
    const pace = paceOf(seconds, rows, rowsDone, scoring?.rowsBefore);
    return { shard, phase: "running", rows, rowsDone, process, ...pace };
  }
  if (damage !== undefined) return { ...idle, phase: "failed", rows, rowsDone, message: damage };
  if (failure !== undefined) {
    const { host, pid, at: since, message } = failure;
    return { ...idle, phase: "failed", rows, rowsDone, process: { host, pid, since }, message };
  }
  return { ...idle, phase: rows === null ? "waiting" : "stopped", rows, rowsDone };
}

async function countRows(file: string, counted: CountedRows): Promise<RowCounts> {
  const { files, bytes, newest: date } = await sizeBelow(file);
  if (files === 0) return { rows: null, rowsDone: 0 };
  const newest = date.getTime();
  const known = counted.get(file);
  if (known?.bytes === bytes && known.newest === newest) return known.counts;
  const counts = await readShardFile(file).then(
    ({ header, rows }): RowCounts => ({ rows: header?.rows ?? null, rowsDone: rows }),
    (error: unknown): RowCounts => {
      if (!(error instanceof InputError)) throw error;
      return { rows: null, rowsDone: 0, damage: error.describe() };
    },
  );
  counted.set(file, { bytes, newest, counts });
  return counts;
}

/** Seconds since a process on a machine began to score rows; 0 before. */
async function scoringSeconds(
  file: string,
  scoring: ScoringNote | undefined,
  host: string,
  now: StatusContext["now"],
): Promise<number> {
  if (scoring === undefined) return 0;
  if (host === hostname()) return (Date.now() - Date.parse(scoring.since)) / 1000;
  const { newest } = await sizeBelow(file);
  return ((await now(file)) - newest.getTime()) / 1000;
}

function paceOf(
  seconds: number,
  rows: number | null,
  rowsDone: number,
  rowsBefore = 0,
): Pick<ShardStatus, "rowsPerSecond" | "secondsLeft"> {
  const scored = rowsDone - rowsBefore;
  if (!(seconds > 0 && scored > 0)) return { rowsPerSecond: null, secondsLeft: null };
  const rowsPerSecond = scored / seconds;
  return { rowsPerSecond, secondsLeft: rows === null ? null : (rows - rowsDone) / rowsPerSecond };
}
