import {
  type RegulatoryElementRow,
  readRegulatoryElementTable,
} from "../../../datasets/regulatory-elements/table.ts";
import type { Genome } from "../../../dna/genome/genome.ts";
import { modelSequenceOf, NO_BASE, windowCodes } from "../../../dna/sequence/encoding.ts";
import { flankOf, widened } from "../context.ts";
import { openGenomeTable, type TableRows, tableRows } from "../genome-table.ts";
import { isRows, missingInputError, numberedRows } from "../inputs.ts";
import { tableDigest } from "../table-rows.ts";
import type { OpenOptions, OpenTask, Task } from "../task.ts";
import type { Example } from "../task-rows.ts";
import { elementAndControlCodes, type PairFacts, pairFacts, sharedPair, withFlanks } from "./pair.ts";

/** Inputs of Task 1. */
export type RegulatoryElementsInputs = {
  /** Path of the prepared table or of DART-Eval's data.h5, or rows. */
  readonly elements: string | readonly RegulatoryElementRow[];
  /** Not needed with data.h5. */
  readonly genome?: string | Genome | undefined;
};

/** @throws {InputError} when an input is missing, cannot be read, or does not fit the other */
export async function openRegulatoryElements(
  task: Task,
  { elements, genome }: RegulatoryElementsInputs,
  { seed, context }: OpenOptions,
): Promise<OpenTask<PairFacts>> {
  const flank = flankOf(task, context);
  const { digests, select, examples, close } = await openGenomeTable({
    task,
    genome,
    read: () => readElements(task, elements),
    digest: (rows) => ({ elements: tableDigest(rows, valuesOf) }),
    place: ({ elementStart, elementEnd, inputStart, inputEnd }: RegulatoryElementRow) => ({
      start: Math.max(elementStart, inputStart),
      end: Math.min(elementEnd, inputEnd),
      name: "the element",
    }),
    exampleOf: (row, chromosome, bases) => (bases ? exampleOf : factsOnly)(row, chromosome, seed, flank),
  });
  return { ...widened(task, context), digests, select, examples, close };
}

/**
 * Rows of a file are typed columns, of which objects are made when they are needed: 2.35 million of them are
 * too large.
 */
async function readElements(
  task: Task,
  elements: RegulatoryElementsInputs["elements"],
): Promise<TableRows<RegulatoryElementRow>> {
  if (isRows(elements)) return tableRows(numberedRows("elements", elements));
  if (typeof elements !== "string") throw missingInputError(task, "elements");
  const table = await readRegulatoryElementTable(elements);
  return {
    length: table.length,
    rowsOf: (numbers) => Array.from(numbers, (row) => table.at(row)),
    [Symbol.iterator]: () => table[Symbol.iterator](),
  };
}

const valuesOf = (row: RegulatoryElementRow) => [
  row.index,
  row.chrom,
  row.inputStart,
  row.inputEnd,
  row.elementStart,
  row.elementEnd,
  row.relativeStart,
  row.relativeEnd,
  row.reverseComplement,
];

function exampleOf(
  row: RegulatoryElementRow,
  chromosome: Uint8Array,
  seed: number,
  flank: number,
): Example<PairFacts> {
  const wide = withFlanks(row, flank);
  const { element, control } = elementAndControlCodes(chromosome, wide, seed, sharedPair(wide));
  const sequences = [modelSequenceOf(element), modelSequenceOf(control)];
  const unknown = element.includes(NO_BASE);
  return {
    row: row.index,
    sequences,
    ...(unknown ? { codes: [element.slice(), control.slice()] } : {}),
    facts: factsOf(row, unknown ? unknownBases(chromosome, row) : 0, sequences[0] === sequences[1]),
  };
}

/** Facts without sequences, for models that read none. */
function factsOnly(
  row: RegulatoryElementRow,
  chromosome: Uint8Array,
  seed: number,
  flank: number,
): Example<PairFacts> {
  const { hasUnknown, same } = pairFacts(chromosome, withFlanks(row, flank), seed);
  const unknown = hasUnknown ? unknownBases(chromosome, row) : 0;
  return { row: row.index, sequences: NO_LETTERS, facts: factsOf(row, unknown, same) };
}

const NO_LETTERS = ["", ""] as const;

const factsOf = (row: RegulatoryElementRow, unknown: number, same: boolean): PairFacts => ({
  chrom: row.chrom,
  start: row.elementStart,
  end: row.elementEnd,
  unknown,
  same: same ? 1 : 0,
});

/** Positions of the element in the window and on the chromosome that are not A, C, G or T. */
function unknownBases(chromosome: Uint8Array, row: RegulatoryElementRow): number {
  const start = Math.max(row.elementStart, row.inputStart, 0);
  const end = Math.min(row.elementEnd, row.inputEnd, chromosome.length);
  return windowCodes(chromosome, start, end).reduce(
    (count, code) => (code === NO_BASE ? count + 1 : count),
    0,
  );
}
