import { stableStringify } from "../../base/json.ts";
import { centredWindow, type Interval } from "../../dna/genome/interval.ts";
import { type CellRecord, evaluatedData } from "../runs/cell.ts";
import { genomicPositionsOf } from "../tasks/intervals.ts";
import type { RowFacts } from "../tasks/prediction.ts";
import type { PredictionColumns } from "../tasks/prediction-columns.ts";
import type { StratumValue } from "../tasks/stratification.ts";
import type { MeasureWork, Task } from "../tasks/task.ts";

/** Evaluated rows of a cell, from its stored scores. */
export interface RowsToStratify {
  readonly task: Task;
  readonly record: CellRecord;
  readonly predictions: PredictionColumns;
}

/** A stratification with its files open. */
export interface OpenStratification {
  readonly name: string;
  /** Label for tables. */
  readonly title: string;
  /** File that the values come from, if any. */
  readonly file?: string | undefined;
  /** Ascending edges of the bins of numbers; default: quantiles. */
  readonly edges?: readonly number[] | undefined;
  /** Names of strata in the order of tables. */
  readonly order?: readonly string[];
  /** Reason why rows of this task cannot be stratified; undefined if they can. */
  refuses(rows: RowsToStratify): string | undefined;
  /** Values of all rows, with notes for the user. @throws {InputError} when the file does not fit the rows */
  valuesOf(rows: RowsToStratify, work?: MeasureWork): Promise<RowValues>;
  /** Rows that every stratum contains. */
  inEveryStratum?(facts: RowFacts): boolean;
}

/** Values of rows in their order. */
export interface RowValues {
  /** Undefined if unknown. [rows] */
  readonly values: readonly (StratumValue | undefined)[];
  readonly notes?: readonly string[];
}

/** Reason why rows without genomic positions are refused. */
export function withoutPositions({ predictions }: RowsToStratify): string | undefined {
  return genomicPositionsOf(predictions) === undefined ? "its rows have no genomic positions" : undefined;
}

/** Interval of each row: 0-based, half-open. @param over  the task's window centred on it instead */
export function intervalsOf(
  { task, record, predictions }: RowsToStratify,
  over?: "window",
): readonly Interval[] {
  const [chrom, start, end] = ["chrom", "start", "end"].map((name) => predictions.factReader(name));
  return Array.from({ length: predictions.length }, (_, i) => {
    const interval = { chrom: String(chrom(i)), start: Number(start(i)), end: Number(end(i)) };
    return over === undefined ? interval : centredWindow(interval, record.cell.context ?? task.window);
  });
}

/** Row indices by chromosome, so that a genome reads each chromosome once. */
export function byChromosome(intervals: readonly Interval[]): ReadonlyMap<string, readonly number[]> {
  const rows = new Map<string, number[]>();
  intervals.forEach(({ chrom }, i) => {
    const same = rows.get(chrom);
    if (same === undefined) rows.set(chrom, [i]);
    else same.push(i);
  });
  return rows;
}

/** Key of a cell's rows: cells of other models with the same key have the same rows and facts. */
export function rowsKey({ record: { cell, rows } }: RowsToStratify): string {
  const { task, taskVersion, seed, context } = cell;
  return stableStringify([task, taskVersion, seed, context ?? null, evaluatedData(cell), rows.digest]);
}
