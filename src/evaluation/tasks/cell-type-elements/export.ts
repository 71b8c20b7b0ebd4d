import { cachedDigest } from "../../../base/cached-digest.ts";
import { sha256Hex } from "../../../base/digest.ts";
import { InputError } from "../../../base/errors.ts";
import type { CellLine } from "../../../datasets/cell-lines.ts";
import {
  codesOfEntries,
  openProcessed,
  type ProcessedData,
  type ProcessedSequences,
} from "../../../datasets/processed-data.ts";
import { exampleOfCodes } from "../example-of-codes.ts";
import { pickRows } from "../pick-rows.ts";
import { numbersOf, rowsByNumber } from "../row-numbers.ts";
import type { SplitPart } from "../split.ts";
import type { Example, OpenTask, SelectedRows, Selection, Task } from "../task.ts";
import { isInPart, placeFact, type Subset } from "./example.ts";

/** A row of the exported data: its sequence lies in the file, its place on the genome is not told. */
interface ExportedRow {
  readonly index: number;
  readonly split: SplitPart;
  /** Entry among the sequences of its split. */
  readonly entry: number;
  readonly label: CellLine;
}

const SPLITS = ["train", "val", "test"] as const;

/**
 * Task 3 from DART-Eval's own data.h5, which has the sequences of the three splits and needs no genome. Rows on other
 * chromosomes are not in it, and where a row lies is not told: intervals have to take rows as independent.
 *
 * @param subsetOf  the list of clustered rows, given how many numbers rows may have
 * @throws {FormatError} when an array is missing or of another shape, or two entries are the same row
 */
export async function openExportedElements(
  task: Task,
  path: string,
  subsetOf: (rows: number) => Promise<Subset | undefined>,
): Promise<OpenTask> {
  const data = await openProcessed(path);
  try {
    const sequences = new Map<SplitPart, ProcessedSequences>();
    const table: ExportedRow[] = [];
    for (const split of SPLITS) {
      const { members, rows, labels } = data.cellTypes(split);
      checkLength(data, split, members.element, task.window);
      sequences.set(split, members.element);
      labels.forEach((label, entry) => {
        table.push({ index: rows[entry]!, split, entry, label });
      });
    }
    table.sort((a, b) => a.index - b.index);
    checkNumbers(data, table);
    const subset = await subsetOf(table.length === 0 ? 0 : table.at(-1)!.index + 1);
    const rowsOf = rowsByNumber(table);
    return {
      task,
      digests: {
        elements: await cachedDigest(path),
        ...(subset === undefined ? {} : { subset: sha256Hex([...subset.keys()].join("\n")) }),
      },
      select: (selection) => select(table, subset, selection),
      examples: async (rows) => examplesOf(rowsOf(rows), sequences, subset),
      close: () => data.close(),
    };
  } catch (error) {
    await data.close();
    throw error;
  }
}

function checkLength(
  { path }: ProcessedData,
  split: SplitPart,
  { length, perEntry }: ProcessedSequences,
  window: number,
): void {
  if (length === window && perEntry === 1) return;
  throw new InputError(`the sequences have ${length} bases; this task has ${window}`, {
    place: { file: path, tensor: `${split}/seqs` },
    hint: "is this the data.h5 of another task?",
  });
}

function checkNumbers({ path }: ProcessedData, table: readonly ExportedRow[]): void {
  const twin = table.find(({ index }, i) => index === table[i + 1]?.index);
  if (twin === undefined) return;
  throw new InputError(`two entries are row ${twin.index} of the table`, {
    place: { file: path, tensor: `${twin.split}/idxs` },
  });
}

function select(
  table: readonly ExportedRow[],
  subset: Subset | undefined,
  selection: Selection,
): SelectedRows {
  const perSplit = new Map<string, number>();
  for (const { split } of table) perSplit.set(split, (perSplit.get(split) ?? 0) + 1);
  const asked = table.filter(
    (row) =>
      (selection.split === "all" || row.split === selection.split) && isInPart(subset, selection, row.index),
  );
  const rows = pickRows(numbersOf(asked), selection.limit);
  return { rows, inTable: table.length, perChromosome: perSplit, memory: 0 };
}

function examplesOf(
  rows: readonly ExportedRow[],
  sequences: ReadonlyMap<SplitPart, ProcessedSequences>,
  subset: Subset | undefined,
): readonly Example[] {
  const codes = codesOfEntries(rows.map(({ split, entry }) => ({ sequences: sequences.get(split)!, entry })));
  return rows.map(({ index, label }, i) =>
    exampleOfCodes(index, codes[i]!, { label, ...placeFact(subset, index) }),
  );
}
