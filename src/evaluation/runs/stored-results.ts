import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { sha256Hex } from "../../base/digest.ts";
import { InputError } from "../../base/errors.ts";
import { stableStringify } from "../../base/json.ts";
import { type TrainingRecord, trainingRecordSchema } from "../settings/training-record.ts";
import type { MetricName, NameOr } from "../tasks/catalogue.ts";
import type { Measurement } from "../tasks/measurement.ts";
import { type CellRecord, cellRecordSchema, cellTitle } from "./cell.ts";
import { type PrecisionCheck, precisionCheckSchema } from "./precision-record.ts";
import {
  cellFolder,
  missingRunError,
  parseRecord,
  readRecord,
  readRunRecord,
  runFolders,
} from "./run-folder.ts";
import { type ShardTiming, timingSchema } from "./shard-store.ts";

/** Version of result.json. */
export const FORMAT_VERSION = 2;

/**
 * Contents of result.json: the metrics of one cell. A function of the cell only, byte-identical however the
 * run was sharded, interrupted or batched (up to a model's float rounding between batch shapes).
 */
export interface CellResult extends CellRecord, Measurement<NameOr<MetricName>> {
  readonly format: "dart-eval result";
  readonly formatVersion: typeof FORMAT_VERSION;
  /** Loss curves, if the setting trained. */
  readonly training?: TrainingRecord;
  /** Check of a reduced precision against float32. */
  readonly precisionCheck?: PrecisionCheck;
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
      readRecord(join(place, "timing.json"), z.array(timingSchema)),
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
 * Merged results of several runs.
 *
 * @param paths  run folders, or folders with one run per protocol. A folder given twice, and a cell that
 *               several runs have, count once: the first
 * @throws {InputError} when a path is not a merged run
 */
export async function runResults(paths: readonly string[]): Promise<readonly StoredResult[]> {
  const found = (await Promise.all(paths.map(runFolders))).flat();
  const folders = new Map(found.map((folder) => [resolve(folder), folder]));
  const results = new Map<string, StoredResult>();
  for (const folder of folders.values()) {
    for (const stored of await readResults(folder)) {
      const { identity } = stored.result;
      if (!results.has(identity)) results.set(identity, stored);
    }
  }
  return [...results.values()];
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
    readRecord(join(place, "timing.json"), z.array(timingSchema)),
  ]);
  return result === undefined ? undefined : { folder: place, result, timing: timing ?? [] };
}

/** Reads a result and verifies its digest. @throws {InputError} when it was changed */
async function readSealed(file: string, folder: string): Promise<CellResult | undefined> {
  const found = await readRecord(file, sealSchema);
  if (found === undefined) return undefined;
  const { result, changed } = openSeal(file, found);
  if (changed === undefined) return result;
  throw new InputError("this result was changed after it was written", {
    place: { file },
    hint: `write it again: dart-eval merge ${folder}`,
  });
}

/** Contents of result.json: a result with the SHA-256 of its stable JSON, which `readResults` verifies. */
export function sealed(result: object): object {
  return { ...result, sha256: sha256Hex(stableStringify(result)) };
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

/** Quantities of metrics in earlier results, and their present names. */
const RENAMED_QUANTITIES: ReadonlyMap<unknown, string> = new Map(
  [
    ["allele 2 − allele 1 with the effect as tabled", "allele 2 − allele 1 against the tabulated effect"],
    [
      "allele 2 − allele 1 with the effect turned where allele 2 is the genome's",
      "allele 2 − allele 1 against the effect of allele 2",
    ],
    ["allele 2 − allele 1 with allele 1's effect", "allele 2 − allele 1 against the effect of allele 1"],
    ["allele 1 − allele 2 with allele 1's effect", "allele 1 − allele 2 against the effect of allele 1"],
    [
      "distance of the alleles, which has no direction, with the effect as tabled",
      "unsigned distances of the alleles against the tabulated effect",
    ],
    [
      "distance of the alleles, which has no direction, with the alternative's effect",
      "unsigned distances of the alleles against the effect of allele 2",
    ],
  ].flatMap(([former, present]) =>
    ["pearson", "spearman"].map((name) => [`${name}, ${former}`, `${name}, ${present}`] as const),
  ),
);

/**
 * Reviver of JSON that gives the keys, and the quantities of metrics, of earlier results their present names.
 */
export const withPresentNames = (name: string, value: unknown): unknown =>
  name === "quantity"
    ? (RENAMED_QUANTITIES.get(value) ?? value)
    : typeof value !== "object" || value === null || Array.isArray(value)
      ? value
      : Object.fromEntries(Object.entries(value).map(([key, each]) => [RENAMED.get(key) ?? key, each]));

/** Separates a result from its digest. @throws {FormatError} naming the file when it is not a result */
export function openSeal(file: string, { sha256, ...result }: z.infer<typeof sealSchema>): OpenedSeal {
  const found = sha256Hex(stableStringify(result));
  const present = JSON.parse(JSON.stringify(result), withPresentNames);
  return {
    result: parseRecord(file, JSON.stringify(present), resultSchema),
    sha256,
    changed: found === sha256 ? undefined : found,
  };
}

/** Versions of the programs that scored the shards, each once. */
export const programsOf = (timing: readonly Pick<ShardTiming, "toolkit">[]): readonly string[] =>
  [...new Set(timing.flatMap(({ toolkit }) => toolkit.split(", ")))].sort();

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
