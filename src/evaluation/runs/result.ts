import { dirname, join } from "node:path";
import { z } from "zod";
import { sha256Hex } from "../../base/digest.ts";
import { InputError } from "../../base/errors.ts";
import { stableStringify } from "../../base/json.ts";
import { textIfPresent } from "../../base/read-file.ts";
import { estimatedRounding } from "../../metrics/ties.ts";
import type { EmbeddingStorage } from "../settings/setting.ts";
import { type TrainingRecord, trainingRecordSchema } from "../settings/training-record.ts";
import type { Measurement } from "../tasks/measurement.ts";
import type { Predictions } from "../tasks/prediction.ts";
import type { MainStatistic, MeasureContext, MeasureWork, Task } from "../tasks/task.ts";
import { type CellRecord, cellRecordSchema, cellTitle } from "./cell.ts";
import { type PrecisionCheck, precisionCheckSchema, precisionText } from "./precision-record.ts";
import { cellFolder, missingRunError, parseRecord, readRunRecord } from "./run-folder.ts";
import { withAnyTimeInterval } from "./until-width.ts";

/** Version of result.json. */
const FORMAT_VERSION = 2;

/**
 * Contents of result.json: the metrics of one cell. A function of the cell only, byte-identical however the
 * run was sharded, interrupted or batched (up to a model's float rounding between batch shapes).
 */
export interface CellResult extends CellRecord, Measurement {
  readonly format: "dart-eval result";
  readonly formatVersion: typeof FORMAT_VERSION;
  /** Loss curves, if the setting trained. */
  readonly training?: TrainingRecord;
  /** Check of a reduced precision against float32. */
  readonly precisionCheck?: PrecisionCheck;
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

/** One cell of a run folder, as `readResults` returns it. */
export interface StoredResult {
  /** The cell's folder, which has scores.tsv and metrics.json. */
  readonly folder: string;
  readonly result: CellResult;
  /** One per shard, in shard order; contents of timing.json. */
  readonly timing: readonly ShardTiming[];
}

/**
 * Computes the metrics of a cell.
 * @param predictions  in row order, so that sums round equally for any sharding
 * @throws the signal's reason when a long measurement is stopped
 */
export async function measureCell(
  task: Task,
  record: CellRecord,
  predictions: Predictions,
  work: MeasureWork = {},
): Promise<Measurement> {
  const context = contextOf(record, scoreRoundingOf(task, record, predictions), work);
  const form = task.settings[record.cell.setting];
  const measurement =
    form?.measure === undefined
      ? task.measure(predictions, context)
      : await form.measure(predictions, context);
  if (record.cell.untilWidth === undefined) return measurement;
  const main = await mainStatisticOf(task, record, predictions, work);
  return main === undefined ? measurement : withAnyTimeInterval(measurement, record.cell, main);
}

/**
 * The main metric of a cell over blocks of rows; undefined where the task does not have one.
 *
 * @param predictions    of the cell or of some of its rows, in row order
 * @param scoreRounding  of the cell's scores; default: from these predictions
 * @throws the signal's reason when a long measurement is stopped
 */
export async function mainStatisticOf(
  task: Task,
  record: CellRecord,
  predictions: Predictions,
  work: MeasureWork = {},
  scoreRounding = scoreRoundingOf(task, record, predictions),
): Promise<MainStatistic | undefined> {
  const form = task.settings[record.cell.setting];
  const of = form?.measure === undefined ? task : form;
  return of.mainStatistic?.(predictions, contextOf(record, scoreRounding, work));
}

function contextOf({ cell, rows }: CellRecord, scoreRounding: number, work: MeasureWork): MeasureContext {
  const { protocol, seed, recipe } = cell;
  return { protocol, seed, rowsInTable: rows.inTable, recipe, scoreRounding, work };
}

/** Relative rounding error of a cell's scores: as the model declares it, else estimated from all of them. */
export function scoreRoundingOf(task: Task, { cell }: CellRecord, predictions: Predictions): number {
  return cell.model.scoreRounding ?? estimatedRounding(scoresOf(predictions), cell.context ?? task.window);
}

/** All scores that may be compared with each other. */
function* scoresOf(predictions: Predictions): Generator<number> {
  for (const prediction of predictions) {
    if (prediction.kind === "logits") for (const member of prediction.logits) yield* member;
    else if (prediction.kind !== "vector") yield* prediction.values;
  }
}

const weightsNotes = ({ cell: { weights, model }, weightsFile }: CellRecord): string[] =>
  weights === undefined
    ? []
    : [
        `${model.name} was not trained in this run: evaluated with the weights ${weightsFile}, SHA-256 ${weights}.`,
      ];

/** Contents of result.json: a result with the SHA-256 of its stable JSON, which `readResults` verifies. */
export function sealed(result: object): object {
  return { ...result, sha256: sha256Hex(stableStringify(result)) };
}

export function cellResult(
  record: CellRecord,
  measurement: Measurement,
  {
    training,
    precisionCheck,
  }: { readonly [Key in "training" | "precisionCheck"]?: CellResult[Key] | undefined } = {},
): CellResult {
  return {
    format: "dart-eval result",
    formatVersion: FORMAT_VERSION,
    ...record,
    ...measurement,
    notes: [
      ...measurement.notes,
      ...weightsNotes(record),
      ...(precisionCheck === undefined ? [] : [`${precisionText(precisionCheck)}.`]),
    ],
    ...(training === undefined ? {} : { training }),
    ...(precisionCheck === undefined ? {} : { precisionCheck }),
  };
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

export const estimateSchema = z.object({
  value: z.number(),
  low: z.number(),
  high: z.number(),
  n: z.number(),
  method: z.string(),
  basis: z
    .object({
      blocks: z.number(),
      length: z.string().exactOptional(),
      dof: z.number(),
      neighbourCorrelation: z.number().exactOptional(),
      unreliable: z.string().exactOptional(),
    })
    .exactOptional(),
});

const numbers = z.record(z.string(), z.number());
const numbersOrNull = z.record(z.string(), z.number().nullable());
const effect = z.union([estimateSchema, z.number(), z.null()]);

const resultSchema: z.ZodType<CellResult> = cellRecordSchema.extend({
  format: z.literal("dart-eval result"),
  formatVersion: z.literal([1, FORMAT_VERSION]).transform((): typeof FORMAT_VERSION => FORMAT_VERSION),
  metrics: z
    .array(
      z.object({
        name: z.string(),
        title: z.string(),
        quantity: z.string().exactOptional(),
        column: z.string().exactOptional(),
        better: z.enum(["higher", "lower", "neither"]),
        main: z.boolean(),
        value: z.number().nullable(),
        why: z.string().exactOptional(),
        chance: z.number().exactOptional(),
        of: z.string().exactOptional(),
        intervals: z.array(estimateSchema),
      }),
    )
    .min(1),
  published: numbersOrNull,
  counts: numbers,
  ties: z.object({ rounding: z.number(), tolerance: z.number(), byRounding: z.int() }).exactOptional(),
  averages: numbersOrNull,
  quirks: z.array(
    z.object({
      label: z.string(),
      description: z.string(),
      effect: z.object({ paper: effect, corrected: effect }),
    }),
  ),
  breakdowns: z
    .array(
      z.object({
        name: z.string(),
        group: z.string(),
        columns: z.array(z.object({ name: z.string(), title: z.string() })),
        rows: z.array(
          z.object({
            name: z.string(),
            within: z.string().exactOptional(),
            values: z.array(z.number().nullable()),
          }),
        ),
      }),
    )
    .exactOptional(),
  notes: z.array(z.string()),
  training: trainingRecordSchema.exactOptional(),
  precisionCheck: precisionCheckSchema.exactOptional(),
});

/**
 * Reads the results that `mergeRun` wrote, in plan order.
 *
 * @throws {InputError} when the folder is not a run, or its shards are not merged
 */
export async function readResults(folder: string): Promise<readonly StoredResult[]> {
  const run = await readRunRecord(folder);
  if (run === undefined) throw missingRunError(folder);
  const results: StoredResult[] = [];
  for (const record of run.cells) {
    const place = cellFolder(folder, record);
    const [result, timing] = await Promise.all([
      readSealed(join(place, "result.json"), folder),
      readIfPresent(join(place, "timing.json"), z.array(timingSchema)),
    ]);
    if (result === undefined || timing === undefined) {
      throw new InputError(`${cellTitle(record.cell)} has no result yet`, {
        place: { file: place },
        hint: `when its shards are finished, merge them: dart-eval merge ${folder}`,
      });
    }
    if (result.identity !== record.identity) {
      throw new InputError("the result belongs to another cell than the folder", {
        place: { file: join(place, "result.json") },
        hint: `merge again: dart-eval merge ${folder}`,
      });
    }
    results.push({ folder: place, result, timing });
  }
  return results;
}

/**
 * Reads the result of one cell; undefined if the folder has none.
 *
 * @param place  the cell's folder
 * @throws {InputError} when the result was changed after it was written
 */
export async function readCellResult(place: string): Promise<StoredResult | undefined> {
  const [result, timing] = await Promise.all([
    readSealed(join(place, "result.json"), dirname(place)),
    readIfPresent(join(place, "timing.json"), z.array(timingSchema)),
  ]);
  return result === undefined ? undefined : { folder: place, result, timing: timing ?? [] };
}

/** Reads a result and verifies its digest. @throws {InputError} when it was changed */
async function readSealed(file: string, folder: string): Promise<CellResult | undefined> {
  const found = await readIfPresent(file, sealSchema);
  if (found === undefined) return undefined;
  const { result, changed } = openSeal(file, found);
  if (changed === undefined) return result;
  throw new InputError("this result was changed after it was written", {
    place: { file },
    hint: `write it again: dart-eval merge ${folder}`,
  });
}

/** A result with the digest of its contents, as `sealed` made it. */
export const sealSchema = z.looseObject({ sha256: z.string() });

/** A result read from a file, which may have been changed since. */
export interface OpenedSeal {
  readonly result: CellResult;
  /** Recorded SHA-256. */
  readonly sha256: string;
  /** SHA-256 of the contents, if it is not the recorded one. */
  readonly changed: string | undefined;
}

/** Keys of version 1 of results, and their present names. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ["says", "description"],
  ["rowsWithUnknownLetters", "rowsWithUnknownBases"],
]);

/** Reviver of JSON that gives the keys of earlier results and metrics their present names. */
export const withPresentKeys = (_: string, value: unknown): unknown =>
  typeof value !== "object" || value === null || Array.isArray(value)
    ? value
    : Object.fromEntries(Object.entries(value).map(([key, each]) => [RENAMED.get(key) ?? key, each]));

/** Separates a result from its digest. @throws {FormatError} naming the file when it is not a result */
export function openSeal(file: string, { sha256, ...result }: z.infer<typeof sealSchema>): OpenedSeal {
  const found = sha256Hex(stableStringify(result));
  const present = JSON.parse(JSON.stringify(result), withPresentKeys);
  return {
    result: parseRecord(file, JSON.stringify(present), resultSchema),
    sha256,
    changed: found === sha256 ? undefined : found,
  };
}

async function readIfPresent<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await textIfPresent(file);
  return text === undefined ? undefined : parseRecord(file, text, schema);
}
