import { cachedDigest } from "../../../base/digest.ts";
import type { CellLine } from "../../../datasets/cell-lines.ts";
import { codesOfEntries, openProcessed, type ProcessedSequences } from "../../../datasets/processed-data.ts";
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
import { type CellTypeFacts, isInPart, listPosition, type Subset, subsetDigest } from "./subset.ts";

interface ExportedElement extends ExportedRow {
  readonly from: ProcessedSequences;
  readonly label: CellLine;
}

/**
 * Task 3 from DART-Eval's data.h5, which has the sequences of the three splits and needs no genome. Rows on
 * other chromosomes are not in it, and rows have no positions: intervals have to take them as independent.
 *
 * @param subsetOf  reads the list of clustered rows, given an upper bound of row numbers
 * @throws {FormatError} when an array is missing or of another shape, or two entries are the same row
 */
export async function openExportedElements(
  task: Task,
  path: string,
  subsetOf: (rows: number) => Promise<Subset | undefined>,
): Promise<OpenTask<CellTypeFacts>> {
  const data = await openProcessed(path);
  try {
    const entries: ExportedElement[] = [];
    for (const split of EXPORTED_SPLITS) {
      const { members, rows, labels } = data.cellTypes(split);
      checkExportedWindow(members.element, task.window, { file: path, tensor: `${split}/seqs` });
      labels.forEach((label, entry) => {
        entries.push({ index: rows[entry], split, entry, from: members.element, label });
      });
    }
    const table = inNumberOrder(entries, ({ split }) => ({ file: path, tensor: `${split}/idxs` }));
    const subset = await subsetOf(table.length === 0 ? 0 : table[table.length - 1].index + 1);
    const rowsOf = rowsByNumber(table);
    return {
      task,
      digests: { elements: await cachedDigest(path), ...subsetDigest(subset) },
      select: (selection) =>
        selectExported(table, selection, ({ index }) => isInPart(subset, selection, index)),
      examples: async (rows) => examplesOf(rowsOf(rows), subset),
      close: () => data.close(),
    };
  } catch (error) {
    await data.close();
    throw error;
  }
}

function examplesOf(
  rows: readonly ExportedElement[],
  subset: Subset | undefined,
): readonly Example<CellTypeFacts>[] {
  const codes = codesOfEntries(rows.map(({ from, entry }) => ({ sequences: from, entry })));
  return rows.map(({ index, label }, i) =>
    exampleOfCodes(index, codes[i], { label, ...listPosition(subset, index) }),
  );
}
