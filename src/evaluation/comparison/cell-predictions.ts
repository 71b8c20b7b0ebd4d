import { join } from "node:path";
import { kindOfPath } from "../../base/folder.ts";
import { collectShards, findShardsIn } from "../runs/collect-shards.ts";
import type { StoredResult } from "../runs/stored-results.ts";
import type { PredictionColumns } from "../tasks/prediction-columns.ts";

/** The stored predictions of a cell, or the reason why it has none. */
export type CellPredictions = { readonly predictions: PredictionColumns } | { readonly why: string };

/**
 * Reads the predictions of a merged cell from the shards in its folder.
 *
 * @throws {InputError} when the shards were changed after the run
 */
export async function readCellPredictions({ folder, result }: StoredResult): Promise<CellPredictions> {
  const rows = join(folder, "rows");
  if ((await kindOfPath(rows)) !== "folder") {
    return { why: "its folder has no rows/, the scores of its rows" };
  }
  return { predictions: (await collectShards(await findShardsIn(rows, result))).predictions };
}
