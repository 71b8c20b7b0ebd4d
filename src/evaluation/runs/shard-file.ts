import { z } from "zod";
import { sha256Hex } from "../../base/digest.ts";
import { FormatError } from "../../base/errors.ts";
import { readLineLog } from "../../base/line-log.ts";
import { type Prediction, predictionSchema } from "../tasks/prediction.ts";
import type { Shard } from "./request.ts";
import { MOST_SHARDS } from "./shard-of-rows.ts";

/*
 * A shard's rows on disk: one header line, then one line per finished batch. A batch is there whole or not at all, since a
 * line counts only with its line end and its checksum.
 */

/** First line of a shard's file. */
export interface ShardHeader {
  readonly format: "dart-eval rows";
  readonly formatVersion: 1;
  /** Identity of the cell. */
  readonly cell: string;
  readonly shard: Shard;
  /** Rows in the whole shard. */
  readonly rows: number;
  /** Sequences per call; a later process keeps to it, so that it makes the same batches. */
  readonly batchSize: number;
}

/** What a shard's file holds. */
export interface ShardContents {
  /** Undefined when not even the first line is whole. */
  readonly header: ShardHeader | undefined;
  /** In the order in which they were scored. */
  readonly predictions: readonly Prediction[];
  readonly batches: number;
  /** Bytes of sound lines, from the start. */
  readonly sound: number;
  /** Bytes after them: what a killed process or a power cut left of a line. */
  readonly torn: number;
  /** What is wrong with a last line that is whole and damaged, which `torn` counts. */
  readonly damage: FormatError | undefined;
}

const headerSchema = z.object({
  format: z.literal("dart-eval rows"),
  formatVersion: z.literal(1),
  cell: z.string(),
  shard: z.object({ index: z.int().positive().max(MOST_SHARDS), count: z.int().positive().max(MOST_SHARDS) }),
  rows: z.int().nonnegative(),
  batchSize: z.int().positive(),
});

const BATCH_LINE = /^\{"batch":(\d+),"sha256":"([0-9a-f]{16})","predictions":(\[.*\])\}$/s;

export function headerLine(header: ShardHeader): string {
  return `${JSON.stringify(header)}\n`;
}

/** @param batch  0-based number of the batch in the shard */
export function batchLine(batch: number, predictions: readonly Prediction[]): string {
  const text = JSON.stringify(predictions);
  return `{"batch":${batch},"sha256":"${checksum(text)}","predictions":${text}}\n`;
}

const checksum = (text: string) => sha256Hex(text).slice(0, 16);

/**
 * Reads a shard's file. A last line that is torn or damaged is left out and counted in `torn`: its batch is done again.
 *
 * @throws {FormatError} naming the line when an earlier one is damaged, or a row comes twice
 */
export async function readShardFile(file: string): Promise<ShardContents> {
  let header: ShardHeader | undefined;
  let batches = 0;
  let sound = 0;
  const predictions: Prediction[] = [];
  const seen = new Set<number>();
  let damage: FormatError | undefined;

  const extent = await readLineLog(file, (text, line, end) => {
    // Another line follows the damaged one, so it was not the last that a process wrote.
    if (damage !== undefined) throw damage;
    try {
      if (line === 1) header = parseHeader(file, text);
      else {
        const batch = parseBatch(file, line, text, batches);
        for (const { row } of batch) {
          if (seen.has(row))
            throw new FormatError({ file, line }, `row ${row} is in this file twice`, DAMAGED);
        }
        for (const prediction of batch) {
          seen.add(prediction.row);
          predictions.push(prediction);
        }
        batches++;
      }
      sound = end;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      damage = error;
    }
  });
  return { header, predictions, batches, sound, torn: extent.whole - sound + extent.torn, damage };
}

const DAMAGED =
  "the file was changed after it was written, or the disk lost something; delete it and run this shard again";

function parseHeader(file: string, text: string): ShardHeader {
  const parsed = headerSchema.safeParse(jsonOrUndefined(text));
  if (parsed.success) return parsed.data;
  throw new FormatError({ file, line: 1 }, "this is not the first line of a shard's rows", DAMAGED);
}

function parseBatch(file: string, line: number, text: string, batch: number): readonly Prediction[] {
  const [, number, sum, body] = BATCH_LINE.exec(text) ?? [];
  if (number === undefined || sum === undefined || body === undefined) {
    throw new FormatError({ file, line }, "this is not a batch of rows", DAMAGED);
  }
  if (checksum(body) !== sum) {
    throw new FormatError({ file, line }, "the rows do not agree with their checksum", DAMAGED);
  }
  if (Number(number) !== batch) {
    throw new FormatError({ file, line }, `batch ${number} comes where batch ${batch} should`, DAMAGED);
  }
  const parsed = z.array(predictionSchema).min(1).safeParse(jsonOrUndefined(body));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new FormatError({ file, line }, `${issue?.path.join(".")}: ${issue?.message}`, DAMAGED);
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
