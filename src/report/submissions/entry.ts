import { join } from "node:path";
import { z } from "zod";
import { digestFile } from "../../base/digest.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import { kindOfPath } from "../../base/folder.ts";
import { stableStringify } from "../../base/json.ts";
import { textIfPresent } from "../../base/read-file.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { cellName, contextText } from "../../evaluation/runs/cell.ts";
import { parseRecord, readableJson } from "../../evaluation/runs/run-folder.ts";
import { type BatchForm, batchLine, headerLine, readShardFile } from "../../evaluation/runs/shard-file.ts";
import {
  type CellResult,
  type OpenedSeal,
  openSeal,
  sealed,
  sealSchema,
} from "../../evaluation/runs/stored-results.ts";
import { ColumnsBuilder } from "../../evaluation/tasks/columns-builder.ts";
import type { PredictionColumns } from "../../evaluation/tasks/prediction-columns.ts";
import { inRowOrder } from "../../evaluation/tasks/row-order.ts";

/** Folder of a leaderboard's entries. */
export const ENTRIES = "entries";
/** Folder of the scores behind the entries. */
const SCORES = "scores";

/** One cell of a leaderboard. */
export interface LeaderboardEntry extends OpenedSeal {
  /** Name of the entry's file, without extension. */
  readonly name: string;
  /** Versions of the programs that scored the rows. */
  readonly programs: readonly string[];
  /** SHA-256 of the file with the scores; undefined if the leaderboard does not have them. */
  readonly scores: string | undefined;
}

const entrySchema = z.object({
  format: z.literal("dart-eval leaderboard entry"),
  formatVersion: z.literal(1),
  programs: z.array(z.string()),
  scores: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .exactOptional(),
  result: sealSchema,
});

/** `regulatory-elements.hyenadna.zero-shot.corrected.7f3a91c2`, usable as a file name. */
export function entryName({ identity, cell }: CellResult): string {
  const { task, dataset, context, model, setting, protocol } = cell;
  const names = [task, dataset, contextText(context), model.name, setting, protocol, cellName(identity)];
  return names
    .filter((name) => name !== undefined)
    .map((name) => name.replace(/[^\p{L}\p{N}_-]+/gu, "-").slice(0, 80))
    .join(".");
}

/** Text of an entry's file, with keys in alphabetical order. */
export function entryText({
  result,
  programs,
  scores,
}: Pick<LeaderboardEntry, "result" | "programs" | "scores">): string {
  const entry = {
    format: "dart-eval leaderboard entry",
    formatVersion: 1,
    programs,
    ...(scores === undefined ? {} : { scores }),
    result: sealed(result),
  };
  return readableJson(JSON.parse(stableStringify(entry)));
}

/**
 * Reads an entry of a leaderboard.
 * @throws {InputError} when the file is missing or not an entry
 */
export async function readEntry(file: string, name: string): Promise<LeaderboardEntry> {
  const text = await textIfPresent(file);
  if (text === undefined) throw new InputError("no such file", { place: { file } });
  const { result: found, programs, scores } = parseRecord(file, text, entrySchema);
  const opened = openSeal(file, found);
  if (entryName(opened.result) !== name) {
    throw new FormatError(
      { file },
      `this is the entry ${entryName(opened.result)}: the file was renamed or edited`,
    );
  }
  return { ...opened, name, programs, scores };
}

const scoresFile = (folder: string, name: string) => join(folder, SCORES, `${name}.jsonl`);

/** Rows per batch of a file of scores. */
const BATCH_ROWS = 4096;

/**
 * Writes the predictions of an entry, with the facts of their rows, in the format of a run's shards.
 * @returns SHA-256 of the file
 */
export async function writeEntryScores(
  folder: string,
  { name, result, programs }: Pick<LeaderboardEntry, "name" | "result" | "programs">,
  predictions: PredictionColumns,
): Promise<string> {
  const file = scoresFile(folder, name);
  await writeFileAtomic(file, scoresLines(result, programs.join(", "), predictions));
  return digestFile(file);
}

function* scoresLines(
  { identity }: CellResult,
  program: string,
  predictions: PredictionColumns,
): Generator<string> {
  const rows = predictions.length;
  yield headerLine({ cell: identity, shard: { index: 1, count: 1 }, rows, batchSize: BATCH_ROWS });
  let form: BatchForm | undefined;
  for (let batch = 0; batch * BATCH_ROWS < rows; batch++) {
    const some = predictions.slice(batch * BATCH_ROWS, (batch + 1) * BATCH_ROWS);
    const next = batchLine(batch, some, program, form);
    form = next.form;
    yield next.line;
  }
}

/**
 * Predictions of an entry.
 * @throws {InputError} when the leaderboard does not have them, or they were changed
 */
export async function entryPredictions(folder: string, entry: LeaderboardEntry): Promise<PredictionColumns> {
  const { name, result, scores } = entry;
  const file = scoresFile(folder, name);
  const digest = await digestFile(file);
  if (digest !== scores) {
    throw new FormatError(
      { file },
      `the scores have the SHA-256 ${digest}; the entry has ${scores ?? "none"}`,
    );
  }
  const builder = new ColumnsBuilder(result.rows.selected);
  const { header, damage } = await readShardFile(file, (batch) => builder.add(batch));
  if (damage !== undefined) throw damage;
  if (header?.cell !== result.identity)
    throw new FormatError({ file }, "these are the scores of another cell");
  return inRowOrder(builder.done());
}

/** True if the leaderboard has the scores of an entry. */
export const hasScores = async (folder: string, { name }: Pick<LeaderboardEntry, "name">): Promise<boolean> =>
  (await kindOfPath(scoresFile(folder, name))) === "file";
