import type { Measurement } from "../tasks/measurement.ts";
import type { Plan } from "./plan.ts";
import type { OnProgress } from "./progress.ts";

export interface RunOptions {
  readonly onProgress?: OnProgress;
  /** Stops after the current batch; what is finished stays, the next run goes on from there. */
  readonly signal?: AbortSignal;
}

/** What a shard of one cell came to. */
export interface ShardOutcome {
  readonly cell: string;
  readonly rows: number;
  /** Rows finished by earlier runs. */
  readonly rowsDoneBefore: number;
  readonly rowsDone: number;
  readonly seconds: number;
  /** "stopped": the signal came first; start the same command again to go on. */
  readonly state: "done" | "stopped";
  /** Metrics over this shard's rows; null when stopped. */
  readonly measurement: Measurement | null;
}

/**
 * Runs the plan's shard of every cell into the plan's folder, or goes on where an earlier run stopped or was killed.
 *
 * @throws {InputError} when another process works on the same shard, the disk is full, a stored line is damaged, or the
 *   model gives back something that is not one finite number per sequence
 */
export declare function runShard(plan: Plan, options?: RunOptions): Promise<readonly ShardOutcome[]>;
