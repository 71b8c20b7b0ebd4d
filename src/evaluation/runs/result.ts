import type { Measurement } from "../tasks/measurement.ts";
import type { CellRecord } from "./cell.ts";

/**
 * Contents of result.json: what one cell is worth. A function of the cell alone, byte-identical however the
 * run was sharded, interrupted or batched (up to a model's own float rounding between batch shapes).
 */
export interface CellResult extends CellRecord, Measurement {
  readonly format: "dart-eval result";
  readonly formatVersion: 1;
}

/** How the work went: seconds, device, batch sizes. Not part of the result, since it changes from run to run. */
export interface ShardTiming {
  readonly shard: { readonly index: number; readonly count: number };
  readonly rows: number;
  /** Wall-clock seconds spent on rows, summed over the processes that worked on the shard. */
  readonly seconds: number;
  readonly rowsPerSecond: number | null;
  readonly batchSize: number;
  /** Peak resident memory of the last process, bytes. */
  readonly peakMemory: number;
  readonly toolkit: string;
  readonly host: string;
}

/** One cell of a run folder, as `readResults` gives it. */
export interface StoredResult {
  readonly folder: string;
  readonly result: CellResult;
  /** One per shard, in shard order; contents of timing.json. */
  readonly timing: readonly ShardTiming[];
}
