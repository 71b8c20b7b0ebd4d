import type { Sym } from "../../net/graph/sym.ts";
import type { FreshTensor } from "../../net/nn/init.ts";
import type { Feeds } from "../../net/train/batches.ts";
import type { Example, TaskRow } from "../tasks/task.ts";

/** What a setting trains: the graph of a classifier, and how rows of a task become its inputs. */
export interface Classifier {
  /** Parameters that are trained, with how they begin. */
  readonly tensors: readonly FreshTensor[];
  /** [b, classes], b being the sequences of some rows, member after member of each. */
  readonly logits: Sym;
  /** Inputs of the graph for rows as they come. */
  feeds(examples: readonly Example[]): Promise<Feeds>;
  /** What making rows ready is, in a word: "embedding". */
  readonly keeping: string;
  /**
   * Rows made ready to be fed again and again, in any order.
   * @param tell  how many of them are ready
   */
  keep(rows: readonly TaskRow[], tell: (done: number) => void): Promise<KeptRows>;
  close(): Promise<void>;
}

/** Rows that can be fed in any order, without their sequences being made anew. */
export interface KeptRows {
  /** Of each row, without sequences: what its label and its metrics depend on. */
  readonly examples: readonly KeptExample[];
  /** Inputs of the graph for some rows, by their 0-based places. */
  feeds(places: Int32Array): Promise<Feeds>;
}

export type KeptExample = Pick<Example, "row" | "facts"> & { readonly labels: readonly number[] };
