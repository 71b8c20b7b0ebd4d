import type { Split } from "../../dna/genome/chromosome-split.ts";
import type { RowFacts } from "./prediction.ts";

/** Row numbers: 0-based indices in the whole table, before any selection. A row's number is its identity. */
export type RowNumbers = Uint32Array;

/** Row numbers in some order, in memory or on disk. */
export interface RowList extends Iterable<number> {
  readonly length: number;
  /** Numbers at the 0-based indices [start, end), as a new array. */
  slice(start?: number, end?: number): RowNumbers;
}

/** A row as a model sees it. */
export interface Example<Row extends RowFacts = RowFacts> {
  readonly row: number;
  /** Upper-case A, C, G, T; one per member, in the order of `Task.members`. */
  readonly sequences: readonly string[];
  /**
   * Base codes of the members: 0 A, 1 C, 2 G, 3 T, 4 no base (N, or off the chromosome). Absent if every
   * position of every member has a base.
   */
  readonly codes?: readonly Uint8Array[];
  /** False if the members are not aligned base by base, as with an insertion in one of them. */
  readonly aligned?: false;
  readonly facts: Row;
}

/** Purpose of a selection: a task may evaluate other rows than it trains with. */
export type Purpose = "train" | "validate" | "evaluate";

/** Criteria that select rows of a table. */
export interface Selection {
  readonly split: Split;
  readonly purpose: Purpose;
  /** Name of a part of the rows, known to the task. Default: all rows. */
  readonly part?: string;
  /**
   * Maximum number of rows, picked by a digest of their numbers so that any machine picks the same; null:
   * all.
   */
  readonly limit: number | null;
}

/** Selected rows in table order, with statistics of the whole table. */
export interface SelectedRows {
  readonly rows: RowList;
  /** Rows in the whole table, every chromosome. */
  readonly inTable: number;
  /** Rows per chromosome in the whole table. */
  readonly perChromosome: ReadonlyMap<string, number>;
  /** Bytes of memory for the chromosomes that the rows' sequences come from. */
  readonly memory: number;
  /**
   * Number of the first row of each table, ascending, if the task numbers the rows of several tables
   * consecutively.
   */
  readonly tables?: readonly number[];
}

/** A sequence with the row and member it belongs to. */
export interface PlacedSequence {
  readonly bases: string;
  readonly row: number;
  /** 0-based index of the sequence in its row. */
  readonly member: number;
}

/** The list of sequences, in order, that the original embeds batch by batch. */
export interface SequenceFile {
  /** Number of sequences. */
  readonly lines: number;
  /** 0-based line of a row's member; rows may share lines. */
  lineOf(row: number, member: number): number;
  /** Sequences at some lines; a shared one carries the first of its rows. */
  at(lines: readonly number[]): Promise<readonly PlacedSequence[]>;
  /**
   * First line and the line after the last of the batch of `size` that contains a line. Absent if the
   * original cuts the list into consecutive batches; present if the list joins several tables with batches of
   * their own, or lacks some rows.
   */
  batchOf?(line: number, size: number): readonly [from: number, to: number];
}
