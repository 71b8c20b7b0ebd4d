import { sha256Hex } from "../../../base/digest.ts";
import { InputError } from "../../../base/errors.ts";
import {
  type CellTypeElementRow,
  readCellTypeElements,
  readRowList,
} from "../../../datasets/cell-type-elements/table.ts";
import { isProcessedFile } from "../../../datasets/processed-data.ts";
import type { Genome } from "../../../dna/genome/genome.ts";
import { missingChromosomeError } from "../../../dna/genome/interval.ts";
import { windowCodes } from "../../../dna/sequence/letters.ts";
import { exampleOfCodes } from "../example-of-codes.ts";
import { genomeInput, missingInput } from "../inputs.ts";
import { pickRows } from "../pick-rows.ts";
import { numbersOf, rowsByNumber } from "../row-numbers.ts";
import { rowsPerChromosome } from "../rows-per-chromosome.ts";
import { isInSplit } from "../split.ts";
import { tableDigest } from "../table-digest.ts";
import type { Example, OpenTask, SelectedRows, Selection, Task, TaskInputs } from "../task.ts";
import { isInPart, placeFact, type Subset } from "./example.ts";
import { openExportedElements } from "./export.ts";

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
  throw missingInput(task, "elements");
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
