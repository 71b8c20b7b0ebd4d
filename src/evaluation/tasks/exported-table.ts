import { FormatError } from "../../base/errors.ts";
import type { ProcessedSequences } from "../../datasets/processed-data.ts";
import type { SplitPart } from "../../dna/genome/chromosome-split.ts";
import { numbersOf, pickRows } from "./table-rows.ts";
import type { SelectedRows, Selection } from "./task-rows.ts";

/**
 * Parts of DART-Eval's data.h5. Rows on other chromosomes are not in it, and rows have no genomic positions.
 */
export const EXPORTED_SPLITS = ["train", "val", "test"] as const satisfies readonly SplitPart[];

/** A row of DART-Eval's data.h5. */
export interface ExportedRow {
  /** 0-based number of the row in the original's table. */
  readonly index: number;
  readonly split: SplitPart;
  /** 0-based entry among the arrays that hold the row. */
  readonly entry: number;
}

/** An array of the file, for error messages. */
interface ArrayPlace {
  readonly file: string;
  readonly tensor: string;
}

/** @throws {FormatError} when sequences do not have the task's window */
export function checkExportedWindow(
  { length, perEntry }: ProcessedSequences,
  window: number,
  place: ArrayPlace,
): void {
  if (length === window && perEntry === 1) return;
  throw new FormatError(
    place,
    `the sequences have ${length} bases; expected ${window}`,
    "is this the data.h5 of another task?",
  );
}

/**
 * Rows by ascending number.
 *
 * @param offset   number of the table's first row
 * @param placeOf  array of a row's number
 * @throws {FormatError} when two entries have the same number
 */
export function inNumberOrder<Row extends ExportedRow>(
  rows: readonly Row[],
  placeOf: (row: Row) => ArrayPlace,
  offset = 0,
): readonly Row[] {
  const sorted = rows.toSorted((a, b) => a.index - b.index);
  const twin = sorted.find(({ index }, i) => index === sorted[i + 1]?.index);
  if (twin === undefined) return sorted;
  throw new FormatError(placeOf(twin), `two entries are row ${twin.index - offset} of the table`);
}

/** Selection by the split that the file states. */
export function selectExported<Row extends ExportedRow>(
  table: readonly Row[],
  { split, limit }: Selection,
  includes: (row: Row) => boolean = () => true,
): SelectedRows {
  const perSplit = new Map<string, number>();
  for (const row of table) perSplit.set(row.split, (perSplit.get(row.split) ?? 0) + 1);
  const included = table.filter((row) => (split === "all" || row.split === split) && includes(row));
  const rows = pickRows(numbersOf(included), limit);
  return { rows, inTable: table.length, perChromosome: perSplit, memory: 0 };
}
