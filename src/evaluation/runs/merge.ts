import type { Task } from "../tasks/task.ts";
import type { CellResult, StoredResult } from "./result.ts";

export interface MergeOptions {
  /** Forms of one's own that the run's cells name, beside the catalogue's. */
  readonly tasks?: readonly Task[];
}

/**
 * Puts the shards of every cell of a run folder together and writes scores.tsv, metrics.json, result.json, timing.json.
 *
 * @throws {InputError} naming every shard that is missing, incomplete, doubled, of another run or of another shard count
 */
export declare function mergeRun(folder: string, options?: MergeOptions): Promise<readonly CellResult[]>;

/**
 * The results that `mergeRun` wrote, in plan order.
 *
 * @throws {InputError} when the folder holds no run, or its shards were not merged yet
 */
export declare function readResults(folder: string): Promise<readonly StoredResult[]>;
