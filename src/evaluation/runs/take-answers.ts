import { kindOfPath } from "../../base/folder.ts";
import { ColumnsBuilder } from "../tasks/prediction-columns.ts";
import type { PlannedCell } from "./plan.ts";
import type { Shard } from "./request.ts";
import type { CellRun } from "./run-cell.ts";
import { shardPaths } from "./run-folder.ts";
import { readShardFile } from "./shard-file.ts";
import { readShardDone, type ShardStore } from "./store.ts";

/** Rows written at once. */
const BLOCK = 4096;

/**
 * Writes into a shard's store the answers that another cell has to the same questions.
 *
 * @returns  undefined where there are none to take: no such cell, its shard is not finished, or this one was begun otherwise
 * @throws {InputError} when what is kept there is damaged
 */
export async function takeAnswers(
  { answersOf, rows }: PlannedCell,
  store: ShardStore,
  shard: Shard,
): Promise<CellRun | undefined> {
  if (answersOf === undefined || store.before.length === rows.length) return undefined;
  const paths = shardPaths(answersOf.folder, answersOf.record, shard);
  if ((await kindOfPath(paths.rows)) !== "file") return undefined;
  if ((await readShardDone(paths.done)) === undefined) return undefined;
  const began = performance.now();
  const answers = new ColumnsBuilder(rows.length);
  const contents = await readShardFile(paths.rows, (batch) => answers.add(batch));
  if (contents.header === undefined || contents.rows !== rows.length) return undefined;
  const predictions = answers.done();
  if (store.before.some((row, i) => predictions.rows[i] !== row)) return undefined;
  await store.begin(contents.header.batchSize);
  for (let start = store.before.length; start < predictions.length; start += BLOCK) {
    await store.append(predictions.slice(start, start + BLOCK));
  }
  return {
    rowsDoneBefore: store.before.length,
    rowsDone: rows.length,
    seconds: (performance.now() - began) / 1000,
    stopped: false,
    taken: true,
  };
}
