import { InputError } from "../../../base/errors.ts";
import { Pcg64 } from "../../../base/pcg64.ts";
import { seedOf } from "../../../base/random.ts";
import {
  type RegulatoryElementRow,
  readRegulatoryElementTable,
} from "../../../datasets/regulatory-elements/table.ts";
import type { Genome } from "../../../dna/genome/genome.ts";
import { modelSequenceOf, NO_BASE, oneHotOfCodes, windowCodes } from "../../../dna/sequence/encoding.ts";
import { reverseComplementCodes } from "../../../dna/sequence/reverse-complement.ts";
import { dinucleotideShuffleCodes, dinucleotideShuffleKeeps } from "../../../dna/sequence/shuffle.ts";
import { flankOf, widened } from "../context.ts";
import { openGenomeTable, type TableRows, tableRows } from "../genome-table.ts";
import { isRows, missingInputError, numberedRows } from "../inputs.ts";
import { POSITION_FACTS, type PositionFacts } from "../intervals.ts";
import { tableDigest } from "../table-rows.ts";
import type { OpenOptions, OpenTask, Task } from "../task.ts";
import type { Example } from "../task-rows.ts";

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

/**
 * An element's window, and the same window with the element's bases shuffled; each `inputEnd - inputStart`
 * positions.
 */
export interface Pair<Sequence> {
  readonly element: Sequence;
  readonly control: Sequence;
}

/** Facts of a row of Task 1; without positions if it comes from DART-Eval's data.h5. */
export type PairFacts = PositionFacts & {
  /** Positions of the element without a base (N, or off the chromosome). */
  readonly unknown: number;
  /** 1 if element and control are the same sequence to a language model. */
  readonly same: 0 | 1;
};

/** Descriptions of the facts. */
export const PAIR_FACTS = {
  ...POSITION_FACTS,
  unknown: "bases that are not A, C, G or T",
  same: "1 if element and control are the same sequence",
};

/** Columns of a row that its pair depends on. */
export type PairRow = Omit<RegulatoryElementRow, "index" | "relativeStart" | "relativeEnd"> & {
  /** Bases at either end of the window that are not part of the task's own window; default 0. */
  readonly flank?: number;
};

/** The row with a window that is wider by `flank` bases on either side; the shuffled part stays the same. */
const withFlanks = <Row extends PairRow>(row: Row, flank: number): Row =>
  flank === 0 ? row : { ...row, inputStart: row.inputStart - flank, inputEnd: row.inputEnd + flank, flank };

// One generator, reseeded for each row, and one pair of buffers: allocating them for each row takes as long
// as filling them.
const rng = new Pcg64(0);
let scratch: Pair<Uint8Array> = { element: new Uint8Array(350), control: new Uint8Array(350) };

/**
 * Base codes of a row's element and control: 0 A, 1 C, 2 G, 3 T, 4 no base (N, or off the chromosome).
 *
 * The control is the window with the element's part of it shuffled by `dinucleotideShuffle`; the flanks are
 * unchanged. As in the original, an N of that part is an A in the control and remains N in the element. If
 * `reverseComplement` is set, both are then reverse-complemented. The generator's seed is the digest of
 * (seed, chromosome, element start, element end), so that shuffles do not depend on split or order, and rows
 * of equal elements have equal shuffles.
 *
 * @param chromosome  the whole chromosome, ASCII
 * @param seed        the task's; 0 as published
 * @param pair        output, `inputEnd - inputStart` entries each; default: new arrays
 * @throws {InputError} when no base of the element lies both in the window and on the chromosome
 */
export function elementAndControlCodes(
  chromosome: Uint8Array,
  row: PairRow,
  seed: number,
  pair: Pair<Uint8Array> = newPair(row),
): Pair<Uint8Array> {
  const { element, control } = pair;
  const [coreStart, coreEnd] = coreOf(chromosome, row);
  windowCodes(chromosome, row.inputStart, row.inputEnd, element);
  control.set(element);
  rng.reseed(seedOf([seed, row.chrom, row.elementStart, row.elementEnd]));
  dinucleotideShuffleCodes(control, coreStart, coreEnd, rng);
  if (row.reverseComplement) {
    reverseComplementCodes(element);
    reverseComplementCodes(control);
  }
  return pair;
}

/**
 * Facts of a pair without its sequences, in a tenth of the time.
 * @throws {InputError} as `elementAndControlCodes`
 */
export function pairFacts(
  chromosome: Uint8Array,
  row: PairRow,
  seed: number,
): { readonly hasUnknown: boolean; readonly same: boolean } {
  const { element } = sharedPair(row);
  const [coreStart, coreEnd] = coreOf(chromosome, row);
  windowCodes(chromosome, row.inputStart, row.inputEnd, element);
  rng.reseed(seedOf([seed, row.chrom, row.elementStart, row.elementEnd]));
  // A language model sees N as A on either strand; the A that replaces it in the control is a T on the
  // reverse strand.
  const turned = row.reverseComplement && element.subarray(coreStart, coreEnd).includes(NO_BASE);
  return {
    hasUnknown: element.includes(NO_BASE),
    same: !turned && dinucleotideShuffleKeeps(element, coreStart, coreEnd, rng),
  };
}

/** The shuffled part of the window: the element's bases, relative to the window's start. */
function coreOf(chromosome: Uint8Array, row: PairRow): readonly [start: number, end: number] {
  const { chrom, inputStart, inputEnd, elementStart, elementEnd, flank = 0 } = row;
  const start = Math.max(elementStart, inputStart + flank, 0) - inputStart;
  const end = Math.min(elementEnd, inputEnd - flank, chromosome.length) - inputStart;
  if (end > start) return [start, end];
  throw new InputError(
    `no base of the element ${chrom}:${elementStart}-${elementEnd} lies in its window ${inputStart}-${inputEnd} and on the chromosome, which has ${chromosome.length}`,
    { hint: "was the table made for another genome, or another version of it?" },
  );
}

/** Element and control as a language model sees them: A where there is no base. */
export function elementAndControl(chromosome: Uint8Array, row: PairRow, seed: number): Pair<string> {
  const { element, control } = elementAndControlCodes(chromosome, row, seed, sharedPair(row));
  return { element: modelSequenceOf(element), control: modelSequenceOf(control) };
}

/** Element and control as one-hot rows [positions, 4], channels A, C, G, T: zeros where there is no base. */
export function elementAndControlOneHot(
  chromosome: Uint8Array,
  row: PairRow,
  seed: number,
): Pair<Float32Array> {
  const { element, control } = elementAndControlCodes(chromosome, row, seed);
  return { element: oneHotOfCodes(element), control: oneHotOfCodes(control) };
}

/** Buffers for the pair of one row, overwritten by the next row. */
function sharedPair(row: PairRow): Pair<Uint8Array> {
  if (scratch.element.length !== row.inputEnd - row.inputStart) scratch = newPair(row);
  return scratch;
}

function newPair({ inputStart, inputEnd }: PairRow): Pair<Uint8Array> {
  return { element: new Uint8Array(inputEnd - inputStart), control: new Uint8Array(inputEnd - inputStart) };
}
