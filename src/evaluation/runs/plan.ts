import type { Model } from "../../models/model.ts";
import type { Setting } from "../settings/setting.ts";
import type { OpenTask, TaskRow } from "../tasks/task.ts";
import type { CellRecord } from "./cell.ts";
import type { RunRequest, Shard } from "./request.ts";

/** What a cell will cost on this machine. */
export interface CostEstimate {
  /** Seconds for the rows still to do in this shard; null when it was not timed. */
  readonly seconds: number | null;
  /** Peak bytes; null when the model does not say. */
  readonly memory: number | null;
  /** What the seconds rest on, in words. */
  readonly basis: string;
}

/** One cell, ready to run. */
export interface PlannedCell {
  readonly record: CellRecord;
  /** First eight hexadecimal digits of the identity: the cell's folder. */
  readonly name: string;
  readonly task: OpenTask;
  readonly model: Model;
  readonly setting: Setting;
  /** This shard's rows, in table order. */
  readonly rows: readonly TaskRow[];
  /** Rows of this shard that the folder already holds. */
  readonly rowsDone: number;
  /** Sequences per call. */
  readonly batchSize: number;
  readonly estimate: CostEstimate;
}

/** Everything decided before anything expensive. Made by `planRun`, done by `runShard`. */
export interface Plan {
  /** SHA-256 over the cells' identities: two runs may share a folder exactly when theirs are equal. */
  readonly identity: string;
  readonly folder: string | undefined;
  readonly shard: Shard;
  readonly cells: readonly PlannedCell[];
  /** Sentences a user should read before the run: models without an identity, reduced batch sizes. */
  readonly notes: readonly string[];
  /** Closes what the plan opened (genomes given as paths); models stay the caller's. */
  close(): Promise<void>;
}

/**
 * Decides what a run will do, and refuses what cannot be done, before anything expensive. Writes nothing.
 *
 * @throws {InputError} for missing files, an empty selection (with the rows per chromosome), a folder that holds
 *   another run, a model that lacks the question asked, memory that cannot hold one row; several refusals come together
 */
export declare function planRun(request: RunRequest): Promise<Plan>;
