import { cachedDigest } from "../../../base/cached-digest.ts";
import { sha256Hex } from "../../../base/digest.ts";
import { InputError } from "../../../base/errors.ts";
import type { CellLine } from "../../../datasets/cell-lines.ts";
import {
  type CellTypeElementRow,
  readCellTypeElements,
  readRowList,
} from "../../../datasets/cell-type-elements/table.ts";
import {
  codesOfEntries,
  isProcessedFile,
  openProcessed,
  type ProcessedData,
  type ProcessedSequences,
} from "../../../datasets/processed-data.ts";
import { isInSplit, type SplitPart } from "../../../dna/genome/chromosome-split.ts";
import type { Genome } from "../../../dna/genome/genome.ts";
import { missingChromosomeError } from "../../../dna/genome/interval.ts";
import { windowCodes } from "../../../dna/sequence/encoding.ts";
import { genomeInput, missingInputError } from "../inputs.ts";
import {
  exampleOfCodes,
  numbersOf,
  pickRows,
  rowsByNumber,
  rowsPerChromosome,
  tableDigest,
} from "../table-rows.ts";
import type { Example, OpenTask, SelectedRows, Selection, Task, TaskInputs } from "../task.ts";

/** @throws {InputError} when an input is missing, cannot be read, or does not fit the others */
export async function openCellTypeElements(task: Task, inputs: TaskInputs): Promise<OpenTask> {
  const { elements } = inputs;
  if (typeof elements === "string" && (await isProcessedFile(elements))) {
    return openExportedElements(task, elements, (rows) => subsetOf(inputs, rows));
  }
  const table = await tableOf(task, elements);
  checkWidth(table, task.window);
  const subset = await subsetOf(inputs, table.length === 0 ? 0 : table.at(-1)!.index + 1);
  const { genome, close } = await genomeInput(task, inputs);
  const rowsOf = rowsByNumber(table);
  try {
    const digests = {
      elements: rowsDigest(table),
      genome: await genome.digest(),
      ...(subset === undefined ? {} : { subset: sha256Hex([...subset.keys()].join("\n")) }),
    };
    return {
      task,
      digests,
      select: (selection) => select(table, genome, subset, selection),
      examples: (rows) => examplesOf(rowsOf(rows), genome, subset),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function tableOf(task: Task, input: TaskInputs[string]): Promise<readonly CellTypeElementRow[]> {
  if (typeof input === "string" && input !== "") return readCellTypeElements(input);
  if (Array.isArray(input)) return numbered(input as readonly CellTypeElementRow[]);
  throw missingInputError(task, "elements");
}

/** Rows of a user's own making: their numbers are what tells them apart. */
function numbered(rows: readonly CellTypeElementRow[]): readonly CellTypeElementRow[] {
  rows.forEach(({ index }, i) => {
    if (Number.isSafeInteger(index) && index > (rows[i - 1]?.index ?? -1)) return;
    throw new InputError(`entry ${i} of the elements has the index ${String(index)}`, {
      hint: "`index` is the row's number in the whole table: whole, not negative, and rising",
    });
  });
  return rows;
}

function checkWidth([first]: readonly CellTypeElementRow[], window: number): void {
  if (first === undefined || first.inputEnd - first.inputStart === window) return;
  throw new InputError(
    `the windows of the table have ${first.inputEnd - first.inputStart} bases; this task has ${window}`,
  );
}

async function subsetOf({ subset }: TaskInputs, rows: number): Promise<Subset | undefined> {
  if (typeof subset !== "string") return undefined;
  return new Map((await readRowList(subset, rows)).map((row, place) => [row, place]));
}

const rowsDigest = (table: readonly CellTypeElementRow[]) =>
  tableDigest(table, (row) => [
    row.index,
    row.chrom,
    row.inputStart,
    row.inputEnd,
    row.elementStart,
    row.elementEnd,
    row.label,
  ]);

function select(
  table: readonly CellTypeElementRow[],
  genome: Genome,
  subset: Subset | undefined,
  selection: Selection,
): SelectedRows {
  const inPart = table.filter(
    (row) => isInSplit(row.chrom, selection.split) && isInPart(subset, selection, row.index),
  );
  const rows = pickRows(numbersOf(inPart), selection.limit);
  const selected = rowsByNumber(table)(rows);
  for (const row of selected) checkPlace(row, genome);
  const lengths = selected.map(({ chrom }) => genome.chromosomes.get(chrom)!);
  // The genome keeps one chromosome while it fetches the next.
  const memory = 2 * lengths.reduce((most, length) => Math.max(most, length), 0);
  return { rows, inTable: table.length, perChromosome: rowsPerChromosome(table), memory };
}

function checkPlace({ index, chrom, inputStart, inputEnd }: CellTypeElementRow, genome: Genome) {
  const length = genome.chromosomes.get(chrom);
  if (length === undefined) {
    throw missingChromosomeError(chrom, genome.chromosomes.keys(), { file: genome.path });
  }
  if (inputStart < length) return;
  throw new InputError(
    `row ${index}: no base of ${chrom}:${inputStart}-${inputEnd} lies on the chromosome, which has ${length}`,
    {
      place: { file: genome.path },
      hint: "was the table made for another genome, or another version of it?",
    },
  );
}

/** Chromosome by chromosome, since a genome keeps the last one asked for; in the order given. */
async function examplesOf(
  rows: readonly CellTypeElementRow[],
  genome: Genome,
  subset: Subset | undefined,
): Promise<readonly Example[]> {
  const examples = new Array<Example>(rows.length);
  for (const chrom of new Set(rows.map((row) => row.chrom))) {
    const letters = await genome.chromosome(chrom);
    rows.forEach((row, i) => {
      if (row.chrom !== chrom) return;
      const { index, inputStart, inputEnd, elementStart, elementEnd, label } = row;
      const facts = { chrom, start: elementStart, end: elementEnd, label, ...placeFact(subset, index) };
      examples[i] = exampleOfCodes(index, windowCodes(letters, inputStart, inputEnd), facts);
    });
  }
  return examples;
}

/** The part of the rows that is clustered. */
export const CLUSTERING = "clustering";

/** The rows that are clustered, in the order of their list: number of the row → place in the list. */
export type Subset = ReadonlyMap<number, number>;

/** Whether a row is of the part that a selection asks for. */
const isInPart = (subset: Subset | undefined, { part }: Selection, row: number): boolean =>
  part !== CLUSTERING || subset === undefined || subset.has(row);

/** What a row's facts say of its place in the list of clustered rows. */
function placeFact(subset: Subset | undefined, row: number): { readonly place?: number } {
  const place = subset?.get(row);
  return place === undefined ? {} : { place };
}

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
async function openExportedElements(
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
        table.push({ index: rows[entry], split, entry, label });
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
      select: (selection) => selectExported(table, subset, selection),
      examples: async (rows) => exportedExamples(rowsOf(rows), sequences, subset),
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

function selectExported(
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

function exportedExamples(
  rows: readonly ExportedRow[],
  sequences: ReadonlyMap<SplitPart, ProcessedSequences>,
  subset: Subset | undefined,
): readonly Example[] {
  const codes = codesOfEntries(rows.map(({ split, entry }) => ({ sequences: sequences.get(split)!, entry })));
  return rows.map(({ index, label }, i) =>
    exampleOfCodes(index, codes[i], { label, ...placeFact(subset, index) }),
  );
}
