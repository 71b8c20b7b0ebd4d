import type { NdArray } from "../../net/arrays/array.ts";
import type { Sym } from "../../net/graph/sym.ts";
import type { ParameterSource } from "../../net/runtime/program.ts";
import type { BatchPlace, Feeds } from "../../net/train/batches.ts";
import type { Example, LabelledRow, TaskRow } from "../tasks/task.ts";

/** What a setting trains: the graph of a network, and how rows of a task become its inputs. */
export interface Learner {
  /** [b, outputs], b being the sequences of some rows, member after member of each. */
  readonly output: Sym;
  /** The same for a training step, where dropout or the like makes it another graph. */
  readonly trainingOutput?: Sym;
  /** Values to begin with, of every parameter that is trained. */
  readonly initial: ReadonlyMap<string, NdArray>;
  /** The other parameters. */
  readonly frozen: ReadonlyMap<string, ParameterSource>;
  /** Inputs of the graph for rows of the task that is answered, as they come. */
  feeds(examples: readonly Example[]): Promise<Feeds>;
  /** What making rows ready is, in a word: "embedding". */
  readonly keeping: string;
  /**
   * Rows of the task that trains, made ready to be fed again and again, in any order.
   * @param tell  how many of them are ready
   */
  keep(rows: readonly TaskRow[], tell: (done: number) => void): Promise<KeptRows>;
  /** Inputs that a training step has beside those of the rows, by its place: dropout masks. */
  stepFeeds?(place: BatchPlace): Feeds;
  /** Writes what was trained in a form that other programs know, where there is one. */
  export?(folder: string, trained: ReadonlyMap<string, NdArray>): Promise<void>;
  close(): Promise<void>;
}

/** Rows that can be fed in any order, without their sequences being made anew. */
export interface KeptRows {
  /** Of each row, without sequences: what its label and its metrics depend on. */
  readonly examples: readonly KeptExample[];
  /** Inputs of the graph for some rows, by their 0-based places. */
  feeds(places: Int32Array): Promise<Feeds>;
}

export type KeptExample = LabelledRow & { readonly labels: readonly number[] };
