import { sha256Hex } from "../../base/digest.ts";
import { InputError } from "../../base/errors.ts";
import { openFile } from "../../base/file-handle.ts";
import { rememberedDigest } from "../../base/remembered-digest.ts";
import type { CellLine } from "../datasets/cell-lines.ts";
import { openProcessed, type ProcessedData, type ProcessedSequences } from "../datasets/processed-h5.ts";
import { isInPart, placeFact, type Subset } from "./cell-type-elements-example.ts";
import { exampleOfCodes } from "./example-of-codes.ts";
import { pickRows } from "./pick-rows.ts";
import type { SplitPart } from "./split.ts";
import type { Example, OpenTask, SelectedRows, Selection, Task, TaskRow } from "./task.ts";

/** A row of the exported data: its sequence lies in the file, its place on the genome is not told. */
interface ExportedRow extends TaskRow {
  readonly split: SplitPart;
  /** Entry among the sequences of its split. */
  readonly entry: number;
  readonly label: CellLine;
}

const SPLITS = ["train", "val", "test"] as const;

/** First bytes of an HDF5 file. */
const SIGNATURE = [0x89, 0x48, 0x44, 0x46];

/** Whether a file is HDF5 and so an export, not a table. @throws {InputError} when it cannot be read */
export async function isExportedElements(path: string): Promise<boolean> {
  await using handle = await openFile(path);
  if (handle.size < SIGNATURE.length) return false;
  const bytes = await handle.read(0, SIGNATURE.length);
  return SIGNATURE.every((byte, i) => bytes[i] === byte);
}

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
    return {
      task,
      digests: {
        elements: await rememberedDigest(path),
        ...(subset === undefined ? {} : { subset: sha256Hex([...subset.keys()].join("\n")) }),
      },
      select: (selection) => select(table, subset, selection),
      examples: async (rows) => examplesOf(rows as readonly ExportedRow[], sequences, subset),
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
    (row) => (selection.split === "all" || row.split === selection.split) && isInPart(subset, selection, row),
  );
  const rows = pickRows(asked, selection.limit);
  return { rows, inTable: table.length, perChromosome: perSplit, memory: 0 };
}

/** Entries that follow one another are read together. */
function examplesOf(
  rows: readonly ExportedRow[],
  sequences: ReadonlyMap<SplitPart, ProcessedSequences>,
  subset: Subset | undefined,
): readonly Example[] {
  const examples = new Array<Example>(rows.length);
  const order = [...rows.keys()].sort((a, b) => {
    const [x, y] = [rows[a]!, rows[b]!];
    return x.split === y.split ? x.entry - y.entry : x.split < y.split ? -1 : 1;
  });
  for (let start = 0; start < order.length; ) {
    const first = rows[order[start]!]!;
    let end = start + 1;
    while (end < order.length && follows(rows[order[end]!]!, rows[order[end - 1]!]!)) end++;
    const last = rows[order[end - 1]!]!;
    const { length, codes } = sequences.get(first.split)!;
    const read = codes(first.entry, last.entry + 1);
    for (const place of order.slice(start, end)) {
      const { index, entry, label } = rows[place]!;
      const at = (entry - first.entry) * length;
      const facts = { label, ...placeFact(subset, index) };
      examples[place] = exampleOfCodes(index, read.slice(at, at + length), facts);
    }
    start = end;
  }
  return examples;
}

const follows = (row: ExportedRow, before: ExportedRow) =>
  row.split === before.split && (row.entry === before.entry + 1 || row.entry === before.entry);
