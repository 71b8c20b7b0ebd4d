import { cachedDigest } from "../../../base/cached-digest.ts";
import { FormatError, InputError } from "../../../base/errors.ts";
import { CELL_LINES } from "../../../datasets/cell-lines.ts";
import { codesOfEntries, openProcessed, type ProcessedPeaks } from "../../../datasets/processed-data.ts";
import type { SplitPart } from "../../../dna/genome/chromosome-split.ts";
import { exampleOfCodes, numbersOf, pickRows, rowsByNumber } from "../table-rows.ts";
import type { Example, OpenTask, SelectedRows, Selection, Task } from "../task.ts";
import { ACTIVITY_SETS, type ActivitySet } from "./columns.ts";

/** A row of the exported data: its sequence and count lie in the file, its place on the genome is not told. */
interface ExportedRow {
  readonly index: number;
  readonly split: SplitPart;
  readonly set: ActivitySet;
  readonly from: ProcessedPeaks;
  /** Entry among those of its split and set. */
  readonly entry: number;
}

const SPLITS = ["train", "val", "test"] as const;
const GROUP = { peaks: "peaks", idr: "idr_peaks", nonpeaks: "nonpeaks" } as const;

/**
 * Task 4 of one cell line from DART-Eval's own data.h5, which has the sequences and counts of the three splits and needs
 * neither genome nor signal. Where a row lies is not told: intervals have to take rows as independent.
 *
 * @throws {InputError} when the cell line is none of DART-Eval's
 * @throws {FormatError} when an array is missing or of another shape, or two entries are the same row
 */
export async function openExportedActivity(task: Task, path: string, cellLine: string): Promise<OpenTask> {
  const line = CELL_LINES.find((one) => one === cellLine);
  if (line === undefined) {
    throw new InputError(`data.h5 has no cell line ${JSON.stringify(cellLine)}`, {
      place: { file: path },
      hint: `cell lines: ${CELL_LINES.join(", ")}`,
    });
  }
  const data = await openProcessed(path);
  try {
    const rows: ExportedRow[] = [];
    const tables: number[] = [];
    for (const set of ACTIVITY_SETS) {
      const offset = rows.length === 0 ? 0 : rows.at(-1)!.index + 1;
      tables.push(offset);
      const own: ExportedRow[] = [];
      for (const split of SPLITS) {
        const from = data.activity(line, split, GROUP[set]);
        const group = `${line}/${split}/${GROUP[set]}`;
        checkLength(from, task.window, { file: path, tensor: `${group}/seqs` });
        checkCounts(from, { file: path, tensor: `${group}/counts` });
        from.rows.forEach((index, entry) => {
          own.push({ index: offset + index, split, set, from, entry });
        });
      }
      own.sort((a, b) => a.index - b.index);
      checkNumbers(own, offset, { file: path, tensor: `${line}/…/${GROUP[set]}/idxs` });
      for (const row of own) rows.push(row);
    }
    const rowsOf = rowsByNumber(rows);
    return {
      task,
      digests: { peaks: await cachedDigest(path) },
      dataset: line,
      cellLine: line,
      select: (selection) => select(rows, tables, selection),
      stratumOf: (row) => rowsOf(Uint32Array.of(row))[0].set,
      examples: async (asked) => examplesOf(rowsOf(asked)),
      close: () => data.close(),
    };
  } catch (error) {
    await data.close();
    throw error;
  }
}

interface ArrayPlace {
  readonly file: string;
  readonly tensor: string;
}

function checkLength({ members: { sequence } }: ProcessedPeaks, window: number, place: ArrayPlace): void {
  if (sequence.length === window && sequence.perEntry === 1) return;
  throw new FormatError(place, `the sequences have ${sequence.length} bases; this task has ${window}`);
}

function checkCounts({ counts }: ProcessedPeaks, place: ArrayPlace): void {
  const wrong = counts.findIndex((count) => !(count >= 0 && count < Number.POSITIVE_INFINITY));
  if (wrong === -1) return;
  throw new FormatError(place, `entry ${wrong} is ${counts[wrong]}; log(1 + counts), 0 or more, is expected`);
}

function checkNumbers(rows: readonly ExportedRow[], offset: number, place: ArrayPlace): void {
  const twin = rows.find(({ index }, i) => index === rows[i + 1]?.index);
  if (twin === undefined) return;
  throw new FormatError(place, `two entries are row ${twin.index - offset} of the table`);
}

/** Peaks and non-peaks train; the high-confidence peaks, which are peaks too, are only asked. */
function select(
  table: readonly ExportedRow[],
  tables: readonly number[],
  { split, purpose, limit }: Selection,
): SelectedRows {
  const perSplit = new Map<string, number>();
  for (const row of table) perSplit.set(row.split, (perSplit.get(row.split) ?? 0) + 1);
  const asked = table.filter(
    (row) => (split === "all" || row.split === split) && (purpose === "answer" || row.set !== "idr"),
  );
  const rows = pickRows(numbersOf(asked), limit);
  return { rows, inTable: table.length, perChromosome: perSplit, memory: 0, tables };
}

function examplesOf(rows: readonly ExportedRow[]): readonly Example[] {
  const codes = codesOfEntries(rows.map(({ from, entry }) => ({ sequences: from.members.sequence, entry })));
  return rows.map(({ index, set, from, entry }, i) =>
    exampleOfCodes(index, codes[i], { set, counts: Math.expm1(from.counts[entry]) }),
  );
}
