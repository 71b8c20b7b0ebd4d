import { kindOfPath } from "../../base/folder.ts";
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
  const { header, predictions } = await readShardFile(paths.rows);
  const begun = store.before.every(({ row }, i) => predictions[i]?.row === row);
  if (header === undefined || predictions.length !== rows.length || !begun) return undefined;
  await store.begin(header.batchSize);
  for (let start = store.before.length; start < predictions.length; start += BLOCK) {
    await store.append(predictions.slice(start, start + BLOCK));
  }
  return {
    predictions,
    rowsDoneBefore: store.before.length,
    seconds: (performance.now() - began) / 1000,
    stopped: false,
    taken: true,
  };
}
