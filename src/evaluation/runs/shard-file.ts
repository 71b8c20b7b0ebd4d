import { hostname } from "node:os";
import { z } from "zod";
import { sha256Hex } from "../../base/digest.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import { firstIssue, tryParseJson } from "../../base/json.ts";
import { readLineLog } from "../../base/line-log.ts";
import { openFile } from "../../base/read-file.ts";
import { writeCacheFile } from "../../base/write-file.ts";
import type { ColumnsLayout, PredictionColumns } from "../tasks/prediction-columns.ts";
import { layoutSchema, packColumns, unpackColumns } from "./packed-columns.ts";
import { readableJson, readRecord } from "./run-folder.ts";
import { MAX_SHARDS, type Shard } from "./shard.ts";

/*
 * A shard's rows on disk: a header line, then one line per finished batch with its rows as packed columns. A
 * line names its columns and the version of the program if they differ from the previous batch. A line is
 * valid only with its newline and its checksum, so a batch is complete or absent.
 */

/** Version 1 had one JSON object per prediction. */
const FORMAT_VERSION = 2;

/** First line of a shard's file. */
export interface ShardHeader {
  readonly format: "dart-eval rows";
  readonly formatVersion: typeof FORMAT_VERSION;
  /** Identity of the cell. */
  readonly cell: string;
  readonly shard: Shard;
  /** Rows in the whole shard. */
  readonly rows: number;
  /** Sequences per call; a resuming process keeps it and makes the same batches. */
  readonly batchSize: number;
}

/** Contents of a shard's file. */
export interface ShardContents {
  /** Undefined when the first line is incomplete. */
  readonly header: ShardHeader | undefined;
  /** Rows in valid batches. */
  readonly rows: number;
  readonly batches: number;
  /** Form of the last valid batch; undefined without one. */
  readonly last: BatchForm | undefined;
  /** Versions of the programs that scored the valid batches, each once, in order. */
  readonly programs: readonly string[];
  /** Bytes of valid lines, from the start. */
  readonly valid: number;
  /** Bytes after them: an incomplete line of a killed process, or of one that lost power. */
  readonly torn: number;
  /** Error of a complete but damaged last line, which `torn` includes. */
  readonly damage: FormatError | undefined;
}

/** Properties of a batch that its line repeats only where they change. */
export interface BatchForm {
  readonly layout: ColumnsLayout;
  /** Version of the program that scored the rows; see `programVersion`. */
  readonly program: string;
}

const headerSchema = z.object({
  format: z.literal("dart-eval rows"),
  formatVersion: z.literal(FORMAT_VERSION),
  cell: z.string(),
  shard: z.object({ index: z.int().positive().max(MAX_SHARDS), count: z.int().positive().max(MAX_SHARDS) }),
  rows: z.int().nonnegative(),
  batchSize: z.int().positive(),
});

const otherVersionSchema = z.object({ format: z.literal("dart-eval rows"), formatVersion: z.int() });

const BATCH_LINE = /^\{"batch":(\d{1,15}),"sha256":"([0-9a-f]{16})",(.*)\}$/s;

const batchSchema = z.strictObject({
  rows: z.int().positive(),
  layout: layoutSchema.exactOptional(),
  program: z.string().exactOptional(),
  data: z.string(),
});

export function headerLine(header: Omit<ShardHeader, "format" | "formatVersion">): string {
  return `${JSON.stringify({ format: "dart-eval rows", formatVersion: FORMAT_VERSION, ...header })}\n`;
}

/**
 * Formats the line of a batch.
 *
 * @param batch    0-based number of the batch in the shard
 * @param program  version of the program that scored it
 * @param before   form of the previous batch
 * @returns        the line, and the form of this batch
 */
export function batchLine(
  batch: number,
  predictions: PredictionColumns,
  program: string,
  before: BatchForm | undefined,
): { readonly line: string; readonly form: BatchForm } {
  const { layout, data } = packColumns(predictions, before?.layout);
  const sameLayout = JSON.stringify(layout) === JSON.stringify(before?.layout);
  const changes = {
    ...(sameLayout ? {} : { layout }),
    ...(program === before?.program ? {} : { program }),
  };
  const body = JSON.stringify({ rows: predictions.length, ...changes, data }).slice(1, -1);
  const line = `{"batch":${batch},"sha256":"${checksum(body)}",${body}}\n`;
  return { line, form: { layout, program } };
}

const checksum = (text: string) => sha256Hex(text).slice(0, 16);

/** Maximum length of a header in bytes. */
const MAX_HEADER_LENGTH = 2 ** 16;

/**
 * Reads the header of a shard's file; undefined when it is incomplete or damaged.
 * @throws {FormatError} when the file has another format version
 */
export async function readShardHeader(file: string): Promise<ShardHeader | undefined> {
  await using handle = await openFile(file);
  const start = Buffer.from(await handle.read(0, Math.min(handle.size, MAX_HEADER_LENGTH)));
  const end = start.indexOf(10);
  return end === -1 ? undefined : headerOf(file, start.toString("utf8", 0, end));
}

/**
 * Reads a shard's file. An incomplete or damaged last line is skipped and counted in `torn`: its batch is
 * scored again.
 *
 * @param visit  receives each valid batch; without it, rows are counted and not unpacked
 * @throws {FormatError} naming the line when an earlier one is damaged, or the file has another format
 *   version
 */
export async function readShardFile(
  file: string,
  visit?: (batch: PredictionColumns) => void,
): Promise<ShardContents> {
  let header: ShardHeader | undefined;
  let last: BatchForm | undefined;
  const programs = new Set<string>();
  let [rows, batches, valid] = [0, 0, 0];
  let damage: FormatError | undefined;

  const extent = await readLineLog(file, (text, line, end) => {
    // Only the last line may be damaged by a kill.
    if (damage !== undefined) throw damage;
    try {
      if (line === 1) header = parseHeader(file, text);
      else {
        const batch = parseBatch(file, line, text, batches);
        const form = formOf(file, line, batch, last);
        if (header !== undefined && rows + batch.rows > header.rows) {
          throw new FormatError({ file, line }, `more rows than the ${header.rows} of the shard`, DAMAGED);
        }
        if (visit !== undefined) visit(unpacked(file, line, batch, form));
        last = form;
        programs.add(form.program);
        rows += batch.rows;
        batches++;
      }
      valid = end;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      damage = error;
    }
  });
  const torn = extent.whole - valid + extent.torn;
  return { header, rows, batches, last, programs: [...programs], valid, torn, damage };
}

const DAMAGED = "the file was edited, or the disk lost data: delete it and run this shard again";

function parseHeader(file: string, text: string): ShardHeader {
  const header = headerOf(file, text);
  if (header !== undefined) return header;
  throw new FormatError({ file, line: 1 }, "this is not the header of a shard", DAMAGED);
}

/** @throws {FormatError} when it is the header of another format version */
function headerOf(file: string, text: string): ShardHeader | undefined {
  const value = tryParseJson(text);
  const other = otherVersionSchema.safeParse(value).data?.formatVersion;
  if (other !== undefined && other !== FORMAT_VERSION) {
    throw new FormatError(
      { file, line: 1 },
      `the rows have format version ${other}; this version of dart-eval reads ${FORMAT_VERSION}`,
      "finish and merge the run with the version of dart-eval that began it, or run it again in a new folder",
    );
  }
  return headerSchema.safeParse(value).data;
}

type Batch = z.infer<typeof batchSchema>;

function parseBatch(file: string, line: number, text: string, batch: number): Batch {
  const [, number, sum, body] = BATCH_LINE.exec(text) ?? [];
  if (number === undefined || sum === undefined || body === undefined) {
    throw new FormatError({ file, line }, "this is not a batch of rows", DAMAGED);
  }
  if (checksum(body) !== sum) {
    throw new FormatError({ file, line }, "the rows do not match their checksum", DAMAGED);
  }
  if (Number(number) !== batch) {
    throw new FormatError({ file, line }, `batch ${number}: expected batch ${batch}`, DAMAGED);
  }
  const parsed = batchSchema.safeParse(tryParseJson(`{${body}}`));
  if (parsed.success) return parsed.data;
  throw new FormatError({ file, line }, firstIssue(parsed.error, "the batch"), DAMAGED);
}

/** Form of a batch: its own properties, the others of the previous batch. */
function formOf(file: string, line: number, batch: Batch, before: BatchForm | undefined): BatchForm {
  const { layout = before?.layout, program = before?.program } = batch;
  if (layout !== undefined && program !== undefined) return { layout, program };
  throw new FormatError({ file, line }, "the first batch has no layout or no program", DAMAGED);
}

function unpacked(file: string, line: number, { rows, data }: Batch, { layout }: BatchForm) {
  const columns = unpackColumns({ layout, data }, rows);
  if (columns !== undefined) return columns;
  throw new FormatError({ file, line }, "the data do not match their layout", DAMAGED);
}

/** Start of the scoring of rows by the process that holds a shard. */
export interface ScoringNote {
  /** ISO 8601. */
  readonly since: string;
  /** Rows that were done before. */
  readonly rowsBefore: number;
}

/** Error that ended the last process of a shard. */
export interface FailureNote {
  /** ISO 8601. */
  readonly at: string;
  readonly host: string;
  readonly pid: number;
  readonly message: string;
}

const scoringSchema: z.ZodType<ScoringNote> = z.object({ since: z.iso.datetime(), rowsBefore: z.int() });

const failureSchema: z.ZodType<FailureNote> = z.object({
  at: z.iso.datetime(),
  host: z.string(),
  pid: z.int(),
  message: z.string(),
});

/** Writes a note for `runStatus`. A note that cannot be written, as on a full disk, does not stop the run. */
export function noteScoring(file: string, rowsBefore: number): Promise<void> {
  const note: ScoringNote = { since: new Date().toISOString(), rowsBefore };
  return writeCacheFile(file, readableJson(note));
}

export function noteFailure(file: string, error: unknown): Promise<void> {
  const message = error instanceof InputError ? error.describe() : String(error);
  const note: FailureNote = {
    at: new Date().toISOString(),
    host: hostname(),
    pid: process.pid,
    message,
  };
  return writeCacheFile(file, readableJson(note));
}

export const readScoring = (file: string): Promise<ScoringNote | undefined> =>
  readRecord(file, scoringSchema);
export const readFailure = (file: string): Promise<FailureNote | undefined> =>
  readRecord(file, failureSchema);
