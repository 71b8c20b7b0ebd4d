import { join } from "node:path";
import { z } from "zod";
import { digestFile } from "../../base/digest.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import { type FileLock, takeLock, type WaitOptions, waitForLock } from "../../base/file-lock.ts";
import { kindOfPath, namesInFolder } from "../../base/folder.ts";
import { type DurableLog, openDurableLog } from "../../base/line-log.ts";
import { counted } from "../../base/message-text.ts";
import { programVersion } from "../../base/package.ts";
import { removeFile, removeTemporaryFiles, writeFileAtomic } from "../../base/write-file.ts";
import type { EmbeddingStorage } from "../settings/setting.ts";
import type { Predictions } from "../tasks/prediction.ts";
import { PredictionColumns } from "../tasks/prediction-columns.ts";
import { RowListBuilder } from "../tasks/row-list.ts";
import type { RowList } from "../tasks/task-rows.ts";
import type { CellRecord } from "./cell.ts";
import { readableJson, readRecord, rowsFolder, type ShardPaths, shardPaths } from "./run-folder.ts";
import type { Shard } from "./shard.ts";
import {
  batchLine,
  headerLine,
  noteFailure,
  noteScoring,
  readShardFile,
  type ShardHeader,
} from "./shard-file.ts";

/** Predictions of one shard of a cell while it runs. */
export interface ShardStore {
  /** Numbers of the rows that were done when the store was opened, in the order of scoring. */
  readonly before: RowList;
  /** All rows are done and the shard is marked as finished. */
  readonly finished: boolean;
  /** Versions of the programs that scored the rows, each once, in order. */
  readonly programs: readonly string[];
  /**
   * Writes the header with the batch size, which resuming processes keep; call it before the first `append`.
   */
  begin(batchSize: number): Promise<void>;
  /** Appends a batch durably: it survives a kill and a power cut. */
  append(predictions: Predictions): Promise<void>;
  /** Marks the shard as finished, with the number of its rows: fewer than planned if it ended early. */
  finish(timing: ShardTiming, rows: number): Promise<void>;
  /** Records an error for `runStatus`, until the shard is finished. */
  fail(error: unknown): Promise<void>;
  close(): Promise<void>;
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

export const timingSchema: z.ZodType<ShardTiming> = z.object({
  shard: z.object({ index: z.int(), count: z.int() }),
  rows: z.int(),
  timedRows: z.int(),
  seconds: z.number(),
  rowsPerSecond: z.number().nullable(),
  batchSize: z.int(),
  peakMemory: z.number(),
  toolkit: z.string(),
  host: z.string(),
  device: z.string().nullable(),
  started: z.iso.datetime().exactOptional(),
  finished: z.iso.datetime().exactOptional(),
  command: z.string().exactOptional(),
  embeddings: z
    .object({ storage: z.enum(["memory", "disk", "recompute"]), because: z.string() })
    .exactOptional(),
});

/** Contents of a shard's `.done.json`. */
export interface ShardDone {
  readonly format: "dart-eval shard";
  readonly formatVersion: 1;
  readonly cell: string;
  readonly rows: number;
  /** The shard ended at a narrow interval, before all rows of its header were scored. */
  readonly early?: true;
  /** SHA-256 of the `.jsonl` file. */
  readonly sha256: string;
  readonly timing: ShardTiming;
}

const doneSchema = z.object({
  format: z.literal("dart-eval shard"),
  formatVersion: z.literal(1),
  cell: z.string(),
  rows: z.int().nonnegative(),
  early: z.literal(true).exactOptional(),
  sha256: z.string(),
  timing: timingSchema,
});

export interface ShardOfCell {
  readonly folder: string;
  readonly record: CellRecord;
  readonly shard: Shard;
  /** Rows in this shard. */
  readonly rows: number;
}

/** Progress of a shard in a folder. */
export interface ShardState {
  readonly rowsDone: number;
  /** The shard ended at a narrow interval, before all of its rows were scored. */
  readonly early: boolean;
  /** Sequences per call of the batches done; undefined without any. */
  readonly batchSize: number | undefined;
}

/**
 * Reads the progress of a shard for planning; another process may be appending to it.
 * @throws {InputError} when its rows are damaged or belong to another cell
 */
export async function inspectShard(of: ShardOfCell): Promise<ShardState> {
  const paths = shardPaths(of.folder, of.record, of.shard);
  if ((await kindOfPath(paths.rows)) === undefined) {
    return { rowsDone: 0, early: false, batchSize: undefined };
  }
  const { header, rows } = await readShardFile(paths.rows);
  if (header !== undefined) checkHeader(paths.rows, header, of);
  const done = await readShardDone(paths.done);
  const early = done?.early === true && done.cell === of.record.identity && done.rows === rows;
  return { rowsDone: rows, early, batchSize: rows === 0 ? undefined : header?.batchSize };
}

export interface OpenShardOptions extends WaitOptions {
  /** Waits while another process holds the shard; default false. */
  readonly wait?: boolean;
}

/**
 * Opens a shard of a cell for writing: takes its lock, reads the finished rows and drops an incomplete last
 * line. Each process writes to a file of its own and confirms its lock before each batch, so rows of two
 * processes never mix, even if the holder of the lock lost its connection.
 *
 * @throws {LockHeld} when another process works on the shard, unless `wait`
 * @throws {InputError} when its files are damaged or belong to another cell
 */
export async function openShardStore(
  of: ShardOfCell,
  { wait = false, ...options }: OpenShardOptions = {},
): Promise<ShardStore> {
  const paths = shardPaths(of.folder, of.record, of.shard);
  const lock = await (wait ? waitForLock : takeLock)(paths.lock, options);
  try {
    return await openLocked(of, paths, lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function openLocked(of: ShardOfCell, paths: ShardPaths, lock: FileLock): Promise<ShardStore> {
  const present = (await kindOfPath(paths.rows)) !== undefined;
  const done = await readShardDone(paths.done);
  const rows = new RowListBuilder();
  const contents = present ? await readShardFile(paths.rows, (batch) => rows.append(batch.rows)) : undefined;
  const header = contents?.header;
  if (header !== undefined) checkHeader(paths.rows, header, of);
  const before = rows.done();
  if (
    done !== undefined &&
    (done.cell !== of.record.identity || before.length !== (done.early ? done.rows : of.rows))
  ) {
    throw new FormatError(
      { file: paths.done },
      `the shard is marked as finished, but has ${before.length} of ${counted(of.rows, "row")}`,
      "delete this file to resume the shard",
    );
  }

  const program = programVersion();
  let log: DurableLog | undefined;
  const rowsLog = async () => {
    await lock.confirm();
    if (log !== undefined) return log;
    await removeTemporaryFiles(paths.rows);
    log = await openDurableLog(paths.rows, contents?.valid ?? 0);
    return log;
  };
  let batch = contents?.batches ?? 0;
  let last = contents?.last;
  let added = false;
  // The batch size may change until a batch is done.
  let begun = header !== undefined && (before.length > 0 || done !== undefined);
  return {
    before,
    finished: done !== undefined,
    get programs() {
      return [...new Set([...(contents?.programs ?? []), ...(added ? [program] : [])])];
    },
    async begin(batchSize) {
      if (done === undefined) await noteScoring(paths.scoring, before.length);
      if (begun) return;
      const file = await rowsLog();
      await file.clear();
      await file.append(headerLine({ cell: of.record.identity, shard: of.shard, rows: of.rows, batchSize }));
      begun = true;
    },
    async append(predictions) {
      const next = batchLine(batch, PredictionColumns.of(predictions), program, last);
      const file = await rowsLog();
      await file.append(next.line).catch(async (error: unknown) => {
        // A network disk refuses writes to a file that another process has replaced.
        await lock.confirm();
        throw error;
      });
      last = next.form;
      added = true;
      batch++;
    },
    async finish(timing, rows) {
      const record: ShardDone = {
        format: "dart-eval shard",
        formatVersion: 1,
        cell: of.record.identity,
        rows,
        ...(rows < of.rows ? { early: true } : {}),
        sha256: await digestFile(paths.rows),
        timing,
      };
      await lock.confirm();
      for (const note of [paths.failed, paths.scoring]) {
        await removeTemporaryFiles(note);
        await removeFile(note);
      }
      await removeTemporaryFiles(paths.done);
      await writeFileAtomic(paths.done, readableJson(record));
    },
    fail: (error) => noteFailure(paths.failed, error),
    async close() {
      await log?.close();
      log = undefined;
      await lock.release();
    },
  };
}

/** Reads `.done.json`; undefined for an unfinished shard. @throws {FormatError} when it is damaged */
export const readShardDone = (file: string): Promise<ShardDone | undefined> => readRecord(file, doneSchema);

function checkHeader(file: string, header: ShardHeader, { record, shard, rows }: ShardOfCell) {
  const same =
    header.cell === record.identity &&
    header.shard.index === shard.index &&
    header.shard.count === shard.count &&
    header.rows === rows;
  if (same) return;
  throw new InputError(
    `this is shard ${header.shard.index} of ${header.shard.count} (${counted(header.rows, "row")}) of cell ${header.cell.slice(0, 8)}, ` +
      `not shard ${shard.index} of ${shard.count} (${counted(rows, "row")}) of cell ${record.identity.slice(0, 8)}`,
    { place: { file }, hint: "the file may come from another run: move it away and start again" },
  );
}

/**
 * Checks that a cell is not split into another number of shards.
 * @throws {InputError} with the existing number
 */
export async function checkShardCount({ folder, record, shard }: ShardOfCell): Promise<void> {
  const place = rowsFolder(folder, record);
  if ((await kindOfPath(place)) === undefined) return;
  for (const name of await namesInFolder(place)) {
    const count = Number(/^\d+-of-(\d+)\.jsonl$/.exec(name)?.[1] ?? shard.count);
    if (count === shard.count) continue;
    throw new InputError(`this run has ${counted(count, "shard")}; ${shard.count} were requested`, {
      place: { file: join(place, name) },
      hint: `resume with --shard i/${count}, or choose another folder`,
    });
  }
}
