import { cachedDigest } from "../../../base/digest.ts";
import { FormatError, InputError } from "../../../base/errors.ts";
import { CELL_LINES } from "../../../datasets/cell-lines.ts";
import { codesOfEntries, openProcessed, type ProcessedPeaks } from "../../../datasets/processed-data.ts";
import {
  checkExportedWindow,
  EXPORTED_SPLITS,
  type ExportedRow,
  inNumberOrder,
  selectExported,
} from "../exported-table.ts";
import { exampleOfCodes, rowsByNumber } from "../table-rows.ts";
import type { OpenTask, Task } from "../task.ts";
import type { Example } from "../task-rows.ts";
import { ACTIVITY_SETS, type ActivityFacts, type ActivitySet } from "./columns.ts";

interface ExportedWindow extends ExportedRow {
  readonly set: ActivitySet;
  readonly from: ProcessedPeaks;
}

const GROUP = { peaks: "peaks", idr: "idr_peaks", nonpeaks: "nonpeaks" } as const;

/**
 * Task 4 of one cell line from DART-Eval's data.h5, which has the sequences and counts of the three splits
 * and needs neither genome nor signal. Rows have no positions: intervals have to take them as independent.
 *
 * @throws {InputError} when the file has no such cell line
 * @throws {FormatError} when an array is missing or of another shape, or two entries are the same row
 */
export async function openExportedActivity(
  task: Task,
  path: string,
  cellLine: string,
): Promise<OpenTask<ActivityFacts>> {
  const line = CELL_LINES.find((one) => one === cellLine);
  if (line === undefined) {
    throw new InputError(`data.h5 has no cell line ${JSON.stringify(cellLine)}`, {
      place: { file: path },
      hint: `cell lines: ${CELL_LINES.join(", ")}`,
    });
  }
  const data = await openProcessed(path);
  try {
    const table: ExportedWindow[] = [];
    const tables: number[] = [];
    for (const set of ACTIVITY_SETS) {
      const offset = table.length === 0 ? 0 : table[table.length - 1].index + 1;
      tables.push(offset);
      const entries: ExportedWindow[] = [];
      for (const split of EXPORTED_SPLITS) {
        const from = data.activity(line, split, GROUP[set]);
        const group = `${line}/${split}/${GROUP[set]}`;
        checkExportedWindow(from.members.sequence, task.window, { file: path, tensor: `${group}/seqs` });
        checkCounts(from, { file: path, tensor: `${group}/counts` });
        from.rows.forEach((index, entry) => {
          entries.push({ index: offset + index, split, set, from, entry });
        });
      }
      const placeOf = () => ({ file: path, tensor: `${line}/…/${GROUP[set]}/idxs` });
      for (const row of inNumberOrder(entries, placeOf, offset)) table.push(row);
    }
    const rowsOf = rowsByNumber(table);
    return {
      task,
      digests: { peaks: await cachedDigest(path) },
      dataset: line,
      cellLine: line,
      select: (selection) => ({
        // High-confidence peaks are peaks too: they are evaluated, but do not train.
        ...selectExported(table, selection, ({ set }) => selection.purpose === "evaluate" || set !== "idr"),
        tables,
      }),
      stratumOf: (row) => rowsOf(Uint32Array.of(row))[0].set,
      examples: async (numbers) => examplesOf(rowsOf(numbers)),
      close: () => data.close(),
    };
  } catch (error) {
    await data.close();
    throw error;
  }
}

function checkCounts(
  { counts }: ProcessedPeaks,
  place: { readonly file: string; readonly tensor: string },
): void {
  const wrong = counts.findIndex((count) => !(count >= 0 && count < Number.POSITIVE_INFINITY));
  if (wrong === -1) return;
  throw new FormatError(place, `entry ${wrong} is ${counts[wrong]}; expected log(1 + counts), 0 or more`);
}

function examplesOf(rows: readonly ExportedWindow[]): readonly Example<ActivityFacts>[] {
  const codes = codesOfEntries(rows.map(({ from, entry }) => ({ sequences: from.members.sequence, entry })));
  return rows.map(({ index, set, from, entry }, i) =>
    exampleOfCodes(index, codes[i], { set, counts: Math.expm1(from.counts[entry]) }),
  );
}
