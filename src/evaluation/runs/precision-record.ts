import { join } from "node:path";
import { z } from "zod";
import { removeTemporaryFiles, writeFileAtomic } from "../../base/write-file.ts";
import { REDUCED_PRECISIONS, type ReducedPrecision } from "../../net/runtime/precision.ts";
import { readableJson, readRecord } from "./run-folder.ts";

/** Main metric of a sample of a cell's rows in a reduced precision and in float32. */
export interface PrecisionCheck {
  readonly precision: ReducedPrecision;
  /** Rows of the sample. */
  readonly rows: number;
  /** Name of the main metric. */
  readonly metric: string;
  /** The metric in float32, with its 95 % interval. */
  readonly float32: { readonly value: number; readonly low: number; readonly high: number };
  /** The metric in the reduced precision. */
  readonly reduced: number;
  /** The metric in the reduced precision minus that in float32, with the 95 % interval over the same rows. */
  readonly difference: { readonly value: number; readonly low: number; readonly high: number };
  /** Largest magnitude that the bounds of the difference may have. */
  readonly margin: number;
}

const interval = z.object({ value: z.number(), low: z.number(), high: z.number() });

export const precisionCheckSchema: z.ZodType<PrecisionCheck> = z.object({
  precision: z.enum(REDUCED_PRECISIONS),
  rows: z.int().positive(),
  metric: z.string(),
  float32: interval,
  reduced: z.number(),
  difference: interval,
  margin: z.number().nonnegative(),
});

const FILE = "precision.json";

/** Writes a passed check to the cell's folder. */
export async function writePrecisionCheck(cellFolder: string, check: PrecisionCheck): Promise<void> {
  const file = join(cellFolder, FILE);
  await removeTemporaryFiles(file);
  await writeFileAtomic(file, readableJson(check));
}

/**
 * Reads the check that a cell has passed. Undefined if the cell was not checked.
 * @throws {FormatError} when the file is damaged
 */
export const readPrecisionCheck = (cellFolder: string): Promise<PrecisionCheck | undefined> =>
  readRecord(join(cellFolder, FILE), precisionCheckSchema);

/** The check as one sentence: `int8 changes AUROC from 0.812 to 0.811 on 1024 rows (…)`. */
export function precisionText({
  precision,
  rows,
  metric,
  float32,
  reduced,
  difference,
  margin,
}: PrecisionCheck) {
  const [from, to] = [float32.value, reduced].map((value) => value.toFixed(4));
  const [change, low, high, most] = [difference.value, difference.low, difference.high, margin].map(signed);
  return `${precision} changes ${metric} from ${from} to ${to} on a sample of ${rows} rows: by ${change}, 95 % interval ${low} to ${high}, within ±${most.slice(1)}`;
}

const signed = (value: number) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(4)}`;
