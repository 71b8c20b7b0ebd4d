import { InputError } from "../../../base/errors.ts";
import { isProcessedFile } from "../../../datasets/processed-data.ts";
import {
  type RegulatoryElementRow,
  readRegulatoryElementTable,
} from "../../../datasets/regulatory-elements/table.ts";
import { isInSplit } from "../../../dna/genome/chromosome-split.ts";
import { type Genome, openGenome } from "../../../dna/genome/genome.ts";
import { missingChromosomeError } from "../../../dna/genome/interval.ts";
import { modelLettersOf, NO_BASE, windowCodes } from "../../../dna/sequence/encoding.ts";
import { asKind } from "../prediction.ts";
import { pickRows, rowsByNumber, rowsPerChromosome, tableDigest } from "../table-rows.ts";
import type {
  Example,
  OpenTask,
  RowNumbers,
  SelectedRows,
  Selection,
  Task,
  TaskInputs,
  TaskSetting,
} from "../task.ts";
import { ELEMENTS_BENCHMARK } from "./benchmark.ts";
import { measureClassifiedPairs, PAIR_LABELS, validatePairs } from "./classified.ts";
import { openExportedPairs } from "./export.ts";
import { measurePairs } from "./measure.ts";
import { elementAndControlCodes, pairWithoutLetters, sharedPair } from "./pair.ts";
import { ELEMENTS_AB_INITIO, ELEMENTS_FINE_TUNED, ELEMENTS_PROBED } from "./recipes.ts";

/** What the settings that train have in common: elements are of class 1, controls of class 0. */
const TRAINED: Omit<TaskSetting, "recipe"> = {
  defaultSplit: "test",
  supervision: { loss: "cross-entropy", classes: 2, labels: () => PAIR_LABELS, validate: validatePairs },
  measure: measureClassifiedPairs,
  scores: {
    columns: ["idx", "seq_logit_0", "seq_logit_1", "ctrl_logit_0", "ctrl_logit_1"],
    line(prediction) {
      const { row, logits } = asKind("logits", prediction);
      return [row, ...logits.flat()];
    },
  },
  publishedFile: "eval",
};

/**
 * Task 1: an element and its control, which differ only in the order of the element's own letters, neighbours kept.
 * Inputs: `elements`, a table's path, its rows, or DART-Eval's data.h5; `genome`, a path or an open `Genome`, which data.h5
 * does without.
 */
export const regulatoryElements: Task = {
  name: "regulatory-elements",
  number: 1,
  version: 1,
  title: "Regulatory elements",
  asks: "Is a real regulatory element more likely than the same element with its letters shuffled?",
  source:
    "DART-Eval task 1 (Patel et al. 2024, arXiv:2412.05430): ENCODE v3 candidate cis-regulatory elements, ENCFF420VPZ",
  window: 350,
  members: ["element", "control"],
  inputs: [
    {
      name: "elements",
      what: "the prepared table of elements, tab-separated (dart-eval build regulatory-elements), or DART-Eval's data.h5",
    },
    {
      name: "genome",
      what: "the reference genome: FASTA, FASTA with bgzip, or 2bit; not needed with data.h5",
    },
  ],
  settings: {
    "zero-shot": { recipe: { score: "log-likelihood" }, defaultSplit: "test" },
    probed: { ...ELEMENTS_PROBED, ...TRAINED },
    "fine-tuned": { ...ELEMENTS_FINE_TUNED, ...TRAINED },
    "ab-initio": { ...ELEMENTS_AB_INITIO, ...TRAINED },
  },
  open: (inputs, { seed }) => openRegulatoryElements(inputs, seed),
  measure: measurePairs,
  scores: {
    columns: ["idx", "seq_score", "ctrl_score"],
    line(prediction) {
      const { row, values } = asKind("likelihood", prediction);
      return [row, ...values];
    },
  },
  benchmark: ELEMENTS_BENCHMARK,
};

async function openRegulatoryElements(inputs: TaskInputs, seed: number): Promise<OpenTask> {
  const { elements } = inputs;
  if (typeof elements === "string" && (await isProcessedFile(elements))) {
    return openExportedPairs(regulatoryElements, elements, seed);
  }
  const table = await elementsOf(elements);
  const genome = await genomeOf(inputs.genome);
  const ours = typeof inputs.genome === "string";
  try {
    const digests = { elements: rowsDigest(table.rows), genome: await genome.digest() };
    return {
      task: regulatoryElements,
      digests,
      select: (selection) => select(table, genome, selection),
      examples: (rows, { letters } = { letters: true }) =>
        examplesOf(table.rowsOf(rows), genome, letters ? exampleOf : withoutLetters, seed),
      close: async () => (ours ? genome.close() : undefined),
    };
  } catch (error) {
    if (ours) await genome.close();
    throw error;
  }
}

/** The table's rows, which a file's columns make as they are wanted. */
interface Elements {
  readonly length: number;
  readonly rows: Iterable<RegulatoryElementRow>;
  rowsOf(numbers: RowNumbers): readonly RegulatoryElementRow[];
}

async function elementsOf(input: TaskInputs[string]): Promise<Elements> {
  if (typeof input === "string") {
    const rows = await readRegulatoryElementTable(input);
    return { length: rows.length, rows, rowsOf: (numbers) => Array.from(numbers, (row) => rows.at(row)) };
  }
  if (!Array.isArray(input)) throw missingInput("elements");
  const rows = numbered(input as readonly RegulatoryElementRow[]);
  return { length: rows.length, rows, rowsOf: rowsByNumber(rows) };
}

async function genomeOf(input: TaskInputs[string]): Promise<Genome> {
  if (typeof input === "string") return openGenome(input);
  if (input !== undefined && "chromosome" in input) return input;
  throw missingInput("genome");
}

/** Rows of a user's own making: their numbers are what tells them apart. */
function numbered(rows: readonly RegulatoryElementRow[]): readonly RegulatoryElementRow[] {
  rows.forEach(({ index }, i) => {
    if (Number.isSafeInteger(index) && index > (rows[i - 1]?.index ?? -1) && index < 2 ** 32) return;
    throw new InputError(`entry ${i} of the elements has the index ${String(index)}`, {
      hint: "`index` is the row's number in the whole table: whole, not negative, and rising",
    });
  });
  return rows;
}

function missingInput(name: string): InputError {
  const form = regulatoryElements.inputs.find((input) => input.name === name)!;
  return new InputError(`the task ${regulatoryElements.name} needs ${JSON.stringify(name)}`, {
    hint: form.what,
  });
}

const rowsDigest = (table: Iterable<RegulatoryElementRow>) =>
  tableDigest(table, (row) => [
    row.index,
    row.chrom,
    row.inputStart,
    row.inputEnd,
    row.elementStart,
    row.elementEnd,
    row.relativeStart,
    row.relativeEnd,
    row.reverseComplement,
  ]);

function select(table: Elements, genome: Genome, { split, limit }: Selection): SelectedRows {
  const ofSplit = new Uint32Array(table.length);
  let count = 0;
  for (const { index, chrom } of table.rows) if (isInSplit(chrom, split)) ofSplit[count++] = index;
  const rows = pickRows(ofSplit.slice(0, count), limit);
  let longest = 0;
  for (let start = 0; start < rows.length; start += CHECKED_AT_ONCE) {
    for (const row of table.rowsOf(rows.subarray(start, start + CHECKED_AT_ONCE))) {
      checkPlace(row, genome);
      longest = Math.max(longest, genome.chromosomes.get(row.chrom)!);
    }
  }
  // The genome keeps one chromosome while it fetches the next.
  const memory = 2 * longest;
  return { rows, inTable: table.length, perChromosome: rowsPerChromosome(table.rows), memory };
}

/** Rows that are objects at the same time. */
const CHECKED_AT_ONCE = 65_536;

function checkPlace(row: RegulatoryElementRow, genome: Genome) {
  const { index, chrom, elementStart, elementEnd, inputStart, inputEnd } = row;
  const length = genome.chromosomes.get(chrom);
  if (length === undefined) {
    throw missingChromosomeError(chrom, genome.chromosomes.keys(), { file: genome.path });
  }
  if (Math.max(elementStart, inputStart, 0) < Math.min(elementEnd, inputEnd, length)) return;
  throw new InputError(
    `row ${index}: no base of the element ${chrom}:${elementStart}-${elementEnd} lies on the chromosome, which has ${length}, and in the window ${inputStart}-${inputEnd}`,
    {
      place: { file: genome.path },
      hint: "was the table made for another genome, or another version of it?",
    },
  );
}

/** Chromosome by chromosome, since a genome keeps the last one asked for; in the order given. */
async function examplesOf(
  rows: readonly RegulatoryElementRow[],
  genome: Genome,
  make: typeof exampleOf,
  seed: number,
): Promise<readonly Example[]> {
  const examples = new Array<Example>(rows.length);
  const chromosomes = new Set(rows.map(({ chrom }) => chrom));
  for (const chrom of chromosomes) {
    const letters = await genome.chromosome(chrom);
    rows.forEach((row, i) => {
      if (row.chrom === chrom) examples[i] = make(row, letters, seed);
    });
  }
  return examples;
}

function exampleOf(row: RegulatoryElementRow, chromosome: Uint8Array, seed: number): Example {
  const { element, control } = elementAndControlCodes(chromosome, row, seed, sharedPair(row));
  const sequences = [modelLettersOf(element), modelLettersOf(control)];
  const unknown = element.includes(NO_BASE);
  return {
    row: row.index,
    sequences,
    ...(unknown ? { codes: [element.slice(), control.slice()] } : {}),
    facts: factsOf(row, unknown ? unknownLetters(chromosome, row) : 0, sequences[0] === sequences[1]),
  };
}

/** What metrics need to know of a row, for models that read no sequence. */
function withoutLetters(row: RegulatoryElementRow, chromosome: Uint8Array, seed: number): Example {
  const { hasUnknown, same } = pairWithoutLetters(chromosome, row, seed);
  const unknown = hasUnknown ? unknownLetters(chromosome, row) : 0;
  return { row: row.index, sequences: NO_LETTERS, facts: factsOf(row, unknown, same) };
}

const NO_LETTERS = ["", ""] as const;

const factsOf = (row: RegulatoryElementRow, unknown: number, same: boolean) => ({
  chrom: row.chrom,
  start: row.elementStart,
  end: row.elementEnd,
  unknown,
  same: same ? 1 : 0,
});

/** Positions of the element that are in the window and on the chromosome, and no A, C, G or T. */
function unknownLetters(chromosome: Uint8Array, row: RegulatoryElementRow): number {
  const start = Math.max(row.elementStart, row.inputStart, 0);
  const end = Math.min(row.elementEnd, row.inputEnd, chromosome.length);
  return windowCodes(chromosome, start, end).reduce(
    (count, code) => (code === NO_BASE ? count + 1 : count),
    0,
  );
}
