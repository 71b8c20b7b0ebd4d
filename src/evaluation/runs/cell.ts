import type { Protocol } from "../../models/model.ts";
import type { Split } from "../tasks/task.ts";

/** Raised when the same cell would give another answer because the engine changed. */
export const IDENTITY_VERSION = 1;

/**
 * Task × model × setting: what is asked, of whom and how. Everything that changes the answer is in it, and nothing
 * else: device, batch size and number of shards are not.
 */
export interface Cell {
  readonly identityVersion: number;
  readonly task: string;
  readonly taskVersion: number;
  readonly model: {
    readonly name: string;
    /** `Model.identity`, or null when the model did not give one and its name stands alone. */
    readonly identity: string | null;
  };
  readonly setting: string;
  readonly protocol: Protocol;
  readonly seed: number;
  readonly split: Split;
  /** At most this many rows; null: all. */
  readonly limit: number | null;
  readonly recipe: Readonly<Record<string, string | number | boolean | null>>;
  /** SHA-256 of every input, by its name in the task's form. */
  readonly data: Readonly<Record<string, string>>;
}

/** The rows of a cell: known when the run is planned, checked when it is merged. */
export interface CellRows {
  /** Rows in the whole table, every chromosome. */
  readonly inTable: number;
  /** Rows that this cell scores. */
  readonly selected: number;
  /** SHA-256 of the selected row numbers, ascending, one per line. */
  readonly digest: string;
}

/** Contents of cell.json. */
export interface CellRecord {
  readonly identity: string;
  readonly cell: Cell;
  readonly rows: CellRows;
}
