import { join } from "node:path";
import { z } from "zod";
import { FormatError, InputError, InternalError } from "../../base/errors.ts";
import { kindOfPath, namesInFolder } from "../../base/folder.ts";
import { checkNesting, firstIssue, JsonError } from "../../base/json.ts";
import { shownValue } from "../../base/message-text.ts";
import { version } from "../../base/package.ts";
import { textIfPresent } from "../../base/read-file.ts";
import { createFileAtomic, removeTemporaryFiles } from "../../base/write-file.ts";
import type { Protocol } from "../../models/model.ts";
import { type CellRecord, cellIdentity, cellName, cellRecordSchema, cellTitle, runIdentity } from "./cell.ts";
import { type Shard, shardName } from "./shard.ts";

/*
 * A run on disk:
 *
 *   plan.json                    the cells; written once, by the first machine
 *   7f3a91c2/                    one cell, named by the first digits of its identity
 *     rows/003-of-016.jsonl      predictions of one shard, appended batch by batch
 *     rows/003-of-016.lock       lock of the process that works on the shard
 *     rows/003-of-016.done.json  written last: count and digest
 *     rows/003-of-016.scoring.json  since when a process has scored rows, for the speed in `status`
 *     rows/003-of-016.failed.json   error of the last process, until the shard is finished
 *     clusterings.jsonl          finished clusterings of a measurement
 *     trained.json               record of the training run that the cell uses
 *     scores.tsv  metrics.json  result.json  timing.json   written by merging
 *   trained/1c09de55/            one training run, named by the first digits of its identity; cells share it
 *   embeddings/                  embeddings of sequences
 */

/** Contents of plan.json. */
export interface RunRecord {
  readonly format: "dart-eval run";
  readonly formatVersion: 1;
  /** Version of the package that began the run. */
  readonly toolkit: string;
  readonly identity: string;
  /** In the order of evaluation; those of added models come last. */
  readonly cells: readonly CellRecord[];
  /** Options of the command that began the run, which added models repeat. Not part of the identity. */
  readonly command?: RunCommand;
  /** The run before each extension, oldest first; absent if no model was added. */
  readonly history?: readonly EarlierRun[];
}

/** Options of `dart-eval run` by name, as typed. */
export type RunCommand = Readonly<Record<string, string | number | readonly string[]>>;

/** A run before models were added to it. */
export interface EarlierRun {
  readonly toolkit: string;
  readonly identity: string;
  /** Number of its cells, the first ones of the run. */
  readonly cells: number;
}

const runRecordSchema = z.object({
  format: z.literal("dart-eval run"),
  formatVersion: z.literal(1),
  toolkit: z.string(),
  identity: z.string(),
  cells: z.array(cellRecordSchema).min(1),
  command: z.record(z.string(), z.union([z.string(), z.number(), z.array(z.string())])).exactOptional(),
  history: z
    .array(z.object({ toolkit: z.string(), identity: z.string(), cells: z.int().positive() }))
    .exactOptional(),
});

/** Paths of the files of one shard of a cell. */
export interface ShardPaths {
  readonly rows: string;
  readonly done: string;
  readonly lock: string;
  readonly scoring: string;
  readonly failed: string;
}

export const planPath = (folder: string) => join(folder, "plan.json");
export const cellFolder = (folder: string, record: CellRecord) => join(folder, cellName(record.identity));
export const rowsFolder = (folder: string, record: CellRecord) => join(cellFolder(folder, record), "rows");

/**
 * Run folders at a path: the path itself, or `corrected/` and `paper/` in it, as a run of both protocols
 * leaves them. A folder without a run is returned unchanged, and reading it reports the error.
 * @throws {InputError} when there is no such folder
 */
export async function runFolders(path: string): Promise<readonly string[]> {
  const kind = await kindOfPath(path);
  if (kind === undefined) {
    throw new InputError("no such folder", {
      place: { file: path },
      hint: "expected the folder of a run, as given to run --out",
    });
  }
  if (kind === "file") {
    throw new InputError("this is a file; expected the folder of a run", { place: { file: path } });
  }
  if ((await kindOfPath(planPath(path))) === "file") return [path];
  const below: string[] = [];
  for (const protocol of ["corrected", "paper"] as const satisfies readonly Protocol[]) {
    const folder = join(path, protocol);
    if ((await kindOfPath(planPath(folder))) === "file") below.push(folder);
  }
  return below.length === 0 ? [path] : below;
}

export function shardPaths(folder: string, record: CellRecord, shard: Shard): ShardPaths {
  const path = join(rowsFolder(folder, record), shardName(shard));
  return {
    rows: `${path}.jsonl`,
    done: `${path}.done.json`,
    lock: `${path}.lock`,
    scoring: `${path}.scoring.json`,
    failed: `${path}.failed.json`,
  };
}

/**
 * Reads plan.json of a folder; undefined if missing.
 * @throws {FormatError} when it is not a valid plan, or was edited
 */
export async function readRunRecord(folder: string): Promise<RunRecord | undefined> {
  const file = planPath(folder);
  const text = await textIfPresent(file);
  if (text === undefined) return undefined;
  const run = parseRecord(file, text, runRecordSchema);
  const edited = run.cells.find(({ cell, identity }) => cellIdentity(cell) !== identity);
  if (edited === undefined) return run;
  throw new FormatError(
    { file },
    `the fields of cell ${cellName(edited.identity)} do not have its identity: it was edited, or written by a newer dart-eval`,
    "restore the file, or choose a new folder",
  );
}

/** Error for a folder without a run. */
export function missingRunError(folder: string): InputError {
  return new InputError("no run in this folder", {
    place: { file: planPath(folder) },
    hint: "expected the folder of a run, as given to run --out",
  });
}

/**
 * Checks that a run with these cells may use a folder: it is missing, empty, or has the same run.
 * @throws {InputError} naming the differences
 */
export async function checkRunFolder(folder: string, cells: readonly CellRecord[]): Promise<void> {
  const kind = await kindOfPath(folder);
  if (kind === undefined) return;
  if (kind === "file") throw new InputError("this is a file; expected a folder", { place: { file: folder } });
  // Listed before plan.json is read: a process that starts the run at the same time writes plan.json first.
  const names = (await namesInFolder(folder)).filter((name) => !name.startsWith("."));
  const found = await readRunRecord(folder);
  if (found !== undefined) {
    refuseOtherRun(folder, found, cells);
    return;
  }
  if (names.length === 0) return;
  throw new InputError(
    `the folder has other files and no run (it has ${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""})`,
    {
      place: { file: folder },
      hint: "choose a new or an empty folder",
    },
  );
}

/**
 * Creates the run's folder with plan.json, or joins the run that is there.
 * @throws {InputError} when the folder has another run, or cannot be written
 */
export async function enterRunFolder(
  folder: string,
  cells: readonly CellRecord[],
  command?: RunCommand,
): Promise<void> {
  await checkRunFolder(folder, cells);
  const record: RunRecord = {
    format: "dart-eval run",
    formatVersion: 1,
    toolkit: version,
    identity: runIdentity(cells.map(({ identity }) => identity)),
    cells,
    ...(command === undefined ? {} : { command }),
  };
  const created = await createFileAtomic(planPath(folder), readableJson(record));
  await removeTemporaryFiles(planPath(folder));
  if (created) return;
  // Another process was first: it must be the same run.
  refuseOtherRun(folder, (await readRunRecord(folder))!, cells);
}

function refuseOtherRun(folder: string, found: RunRecord, cells: readonly CellRecord[]) {
  const identity = runIdentity(cells.map((cell) => cell.identity));
  if ([found, ...(found.history ?? [])].some((run) => run.identity === identity)) {
    refuseOtherRows(folder, found, cells);
    return;
  }
  const [before, now] = [found.cells, cells].map(trainingDevices);
  if (before !== now && onCpu(found.cells) === onCpu(cells)) {
    throw new InputError(`the run in this folder trains on ${before}; ${now} was requested`, {
      place: { file: folder },
      hint: `resume it with --device ${before}, or choose another folder`,
    });
  }
  throw new InputError(`the folder has another run: ${difference(found.cells, cells)}`, {
    place: { file: folder },
    hint: "choose another folder, or repeat the options of that run to resume it",
  });
}

/** Rows follow from a cell's identity, unless the plan was edited. */
function refuseOtherRows(folder: string, found: RunRecord, cells: readonly CellRecord[]) {
  for (const { identity, rows } of cells) {
    const there = found.cells.find((cell) => cell.identity === identity)?.rows;
    if (there === undefined || (there.selected === rows.selected && there.digest === rows.digest)) continue;
    throw new FormatError(
      { file: planPath(folder) },
      `cell ${cellName(identity)} has ${there.selected} rows with digest ${cellName(there.digest)}; expected ${rows.selected} with ${cellName(rows.digest)}`,
      "restore the file, or choose a new folder",
    );
  }
}

/** Devices of the cells that train, as text. */
function trainingDevices(cells: readonly CellRecord[]): string {
  const devices = new Set(cells.flatMap(({ cell }) => cell.trainedOn ?? []));
  return devices.size === 0 ? "cpu" : [...devices].sort().join(" and ");
}

/** Identity of the same run if it trained on the CPU. */
const onCpu = (cells: readonly CellRecord[]) =>
  runIdentity(cells.map(({ cell: { trainedOn: _, ...rest } }) => cellIdentity(rest)));

/** Differences of two sets of cells as text: fields of a single cell, else the cells. */
function difference(found: readonly CellRecord[], requested: readonly CellRecord[]): string {
  const [there] = found;
  const [here] = requested;
  if (found.length === 1 && requested.length === 1 && there !== undefined && here !== undefined) {
    const before = flat(there.cell);
    const now = flat(here.cell);
    const fields = [...new Set([...before.keys(), ...now.keys()])].filter(
      (field) => before.get(field) !== now.get(field),
    );
    if (fields.length > 0) {
      return fields
        .map((field) => `${field} is ${short(before.get(field))} there, ${short(now.get(field))} here`)
        .join("; ");
    }
  }
  const list = (records: readonly CellRecord[]) =>
    records.map(({ identity, cell }) => `${cellTitle(cell)} (${cellName(identity)})`).join(", ");
  return `${list(found)} there, ${list(requested)} here`;
}

/** Fields of nested objects by dotted name. */
function flat(value: object, prefix = ""): Map<string, unknown> {
  return new Map(
    Object.entries(value).flatMap(([key, item]) =>
      item !== null && typeof item === "object"
        ? [...flat(item, `${prefix}${key}.`)]
        : [[`${prefix}${key}`, item] as const],
    ),
  );
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? "absent";
  return text.length > 24 ? `${text.slice(0, 16)}…` : text;
}

/** Levels of objects and arrays, far more than a record has. */
const MAX_RECORD_DEPTH = 64;

/** `parseRecord` of a file; undefined if it does not exist. */
export async function readRecord<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await textIfPresent(file);
  return text === undefined ? undefined : parseRecord(file, text, schema);
}

/**
 * Parses and validates JSON that dart-eval wrote.
 * @throws {FormatError} naming the file and the invalid field
 */
export function parseRecord<T>(file: string, text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    checkNesting(text, MAX_RECORD_DEPTH);
    value = JSON.parse(text, (key, item: unknown) => {
      if (item === Infinity || item === -Infinity) {
        throw new FormatError({ file }, `the number under ${shownValue(key)} is out of range`);
      }
      return item;
    });
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError(
      { file },
      error instanceof JsonError ? `the file ${error.message}` : "not valid JSON",
      "the file may have been edited, or copied incompletely",
      error,
    );
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new FormatError(
    { file },
    firstIssue(parsed.error, "the file"),
    "it may have been written by another version of dart-eval, or edited",
  );
}

/**
 * Formats JSON with an indent of two spaces and a final newline.
 *
 * @throws {InternalError} for NaN and infinities, which JSON.stringify would silently turn into null
 */
export function readableJson(value: unknown): string {
  const refuse = (key: string, item: unknown) => {
    if (typeof item === "number" && !Number.isFinite(item)) {
      throw new InternalError(`${JSON.stringify(key)} is ${item}, which JSON cannot represent`);
    }
    return item;
  };
  return `${JSON.stringify(value, refuse, 2)}\n`;
}
