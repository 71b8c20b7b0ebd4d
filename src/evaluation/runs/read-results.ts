import { join } from "node:path";
import { z } from "zod";
import { sha256Hex } from "../../base/digest.ts";
import { InputError } from "../../base/errors.ts";
import { stableStringify } from "../../base/json.ts";
import { textIfPresent } from "../../base/read-file.ts";
import { trainingRecordSchema } from "../settings/training-record.ts";
import { cellRecordSchema, cellTitle } from "./cell.ts";
import type { CellResult, StoredResult } from "./result.ts";
import { cellFolder, noRun, parseRecord, readRunRecord } from "./run-folder.ts";
import { timingSchema } from "./store.ts";

const estimate = z.object({
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
const effect = z.union([estimate, z.number(), z.null()]);

const resultSchema: z.ZodType<CellResult> = cellRecordSchema.extend({
  format: z.literal("dart-eval result"),
  formatVersion: z.literal(1),
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
        intervals: z.array(estimate),
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
      says: z.string(),
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
});

/**
 * The results that `mergeRun` wrote, in plan order.
 *
 * @throws {InputError} when the folder holds no run, or its shards were not merged yet
 */
export async function readResults(folder: string): Promise<readonly StoredResult[]> {
  const run = await readRunRecord(folder);
  if (run === undefined) throw noRun(folder);
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
        hint: `when its shards are finished, put them together with: dart-eval merge ${folder}`,
      });
    }
    if (result.identity !== record.identity) {
      throw new InputError(`the result is of another cell than the folder's`, {
        place: { file: join(place, "result.json") },
        hint: `merge again with: dart-eval merge ${folder}`,
      });
    }
    results.push({ folder: place, result, timing });
  }
  return results;
}

/** @throws {InputError} when the file is not what merging wrote */
async function readSealed(file: string, folder: string): Promise<CellResult | undefined> {
  const found = await readIfPresent(file, z.looseObject({ sha256: z.string() }));
  if (found === undefined) return undefined;
  const { sha256, ...result } = found;
  if (sha256Hex(stableStringify(result)) !== sha256) {
    throw new InputError("this result was changed after it was written", {
      place: { file },
      hint: `write it again with: dart-eval merge ${folder}`,
    });
  }
  return parseRecord(file, JSON.stringify(result), resultSchema);
}

async function readIfPresent<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await textIfPresent(file);
  return text === undefined ? undefined : parseRecord(file, text, schema);
}
