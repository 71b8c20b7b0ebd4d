import { InputError } from "../../base/errors.ts";
import { isInSplit } from "../../dna/genome/chromosome-split.ts";
import type { Genome } from "../../dna/genome/genome.ts";
import { missingChromosomeError } from "../../dna/genome/interval.ts";
import { genomeInput, type InputForms } from "./inputs.ts";
import type { RowFacts } from "./prediction.ts";
import { blocksOf, RowListBuilder } from "./row-list.ts";
import { checkRowNumber, pickRows, rowsByNumber } from "./table-rows.ts";
import type { OpenTask } from "./task.ts";
import type { Example, RowNumbers, SelectedRows, Selection } from "./task-rows.ts";

/** A row of a table whose sequences come from a genome. */
interface GenomicRow {
  /** 0-based number of the row in the whole table. */
  readonly index: number;
  readonly chrom: string;
}

/** Rows of a table in order of their numbers. */
export interface TableRows<Row> extends Iterable<Row> {
  readonly length: number;
  /** Rows by their numbers, in the order given. */
  rowsOf(numbers: RowNumbers): readonly Row[];
}

/** Bases of a row of which at least one must lie on the chromosome: 0-based, half-open. */
interface RowPlace {
  readonly start: number;
  readonly end: number;
  /** Noun phrase for error messages: "the element". */
  readonly name: string;
  /** The row's line, for error messages. Default: the genome's file. */
  readonly at?: { readonly file: string; readonly line: number };
}

/** Definition of a table whose sequences come from a genome. */
interface GenomeTableForm<Row extends GenomicRow, Facts extends RowFacts> {
  readonly task: InputForms;
  /** The genome as given: a path, or an open genome. */
  readonly genome: string | Genome | undefined;
  read(): Promise<TableRows<Row>>;
  /** SHA-256 of the table's contents, by input name. */
  digest(rows: TableRows<Row>): Readonly<Record<string, string>>;
  place(row: Row): RowPlace;
  /** Further condition for a selection to include a row. Default: the chromosome is in the split. */
  includes?(row: Row, selection: Selection): boolean;
  /** @param bases  false if only facts are needed */
  exampleOf(row: Row, chromosome: Uint8Array, bases: boolean): Example<Facts>;
  /** Example of a row whose bases are not needed, if it is known without the chromosome. */
  knownExample?(row: Row): Example<Facts> | undefined;
}

/** An open table with its genome. */
export interface GenomeTable<Row, Facts extends RowFacts>
  extends Pick<OpenTask<Facts>, "digests" | "select" | "examples" | "close"> {
  readonly rows: TableRows<Row>;
  readonly genome: Genome;
}

/**
 * Opens a table and the genome that its sequences come from.
 *
 * @throws {InputError} when the genome is missing or not a genome, and as `read`
 */
export async function openGenomeTable<Row extends GenomicRow, Facts extends RowFacts>(
  form: GenomeTableForm<Row, Facts>,
): Promise<GenomeTable<Row, Facts>> {
  const rows = await form.read();
  const { genome, close } = await genomeInput(form.task, form.genome);
  try {
    // True for tables in another order, such as by score, in which each block of rows needs most chromosomes.
    let scattered = false;
    return {
      rows,
      genome,
      digests: { ...form.digest(rows), genome: await genome.digest() },
      select: (selection) => {
        const { runs, ...selected } = selectRows(form, rows, genome, selection);
        if (runs > MAX_RUNS * genome.chromosomes.size) scattered = true;
        return selected;
      },
      examples: (numbers, { bases } = { bases: true }) =>
        examplesOf(form, rows.rowsOf(numbers), genome, { bases, scattered }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Rows in memory as a table. */
export function tableRows<Row extends { readonly index: number }>(rows: readonly Row[]): TableRows<Row> {
  return {
    length: rows.length,
    rowsOf: rowsByNumber(rows),
    [Symbol.iterator]: () => rows[Symbol.iterator](),
  };
}

/** Maximum runs of rows on one chromosome, per chromosome, of a table that counts as sorted by chromosome. */
const MAX_RUNS = 4;

/** @returns  also the number of runs: consecutive rows on one chromosome */
function selectRows<Row extends GenomicRow, Facts extends RowFacts>(
  { place, includes = () => true }: GenomeTableForm<Row, Facts>,
  table: TableRows<Row>,
  genome: Genome,
  selection: Selection,
): SelectedRows & { readonly runs: number } {
  const included = new RowListBuilder();
  const perChromosome = new Map<string, number>();
  for (const row of table) {
    perChromosome.set(row.chrom, (perChromosome.get(row.chrom) ?? 0) + 1);
    if (!isInSplit(row.chrom, selection.split) || !includes(row, selection)) continue;
    checkRowNumber(row.index);
    included.push(row.index);
  }
  const rows = pickRows(included.done(), selection.limit);
  let longest = 0;
  let runs = 0;
  let last: string | undefined;
  // A file's rows become objects meanwhile.
  for (const block of blocksOf(rows)) {
    for (const row of table.rowsOf(block)) {
      longest = Math.max(longest, checkedLength(row, place(row), genome));
      if (row.chrom !== last) runs++;
      last = row.chrom;
    }
  }
  // A genome keeps one chromosome while it reads the next.
  const memory = 2 * longest;
  return { rows, inTable: table.length, perChromosome, memory, runs };
}

/** Length of the chromosome that a row lies on. */
function checkedLength({ index, chrom }: GenomicRow, place: RowPlace, genome: Genome): number {
  const { start, end, name, at = { file: genome.path } } = place;
  const length = genome.chromosomes.get(chrom);
  if (length === undefined) throw missingChromosomeError(chrom, genome.chromosomes.keys(), at);
  if (Math.max(start, 0) < Math.min(end, length)) return length;
  throw new InputError(
    `row ${index}: no base of ${name} ${chrom}:${start}-${end} lies on the chromosome, which has ${length}`,
    { place: at, hint: "was the table made for another genome, or another version of it?" },
  );
}

/**
 * Examples in the order of `rows`, made chromosome by chromosome, since a genome keeps only the last one in
 * memory unless rows are scattered over the table.
 */
async function examplesOf<Row extends GenomicRow, Facts extends RowFacts>(
  { exampleOf, knownExample }: GenomeTableForm<Row, Facts>,
  rows: readonly Row[],
  genome: Genome,
  { bases, scattered }: { readonly bases: boolean; readonly scattered: boolean },
): Promise<readonly Example<Facts>[]> {
  const examples = new Array<Example<Facts>>(rows.length);
  const onChromosome = new Map<string, number[]>();
  rows.forEach((row, i) => {
    const known = bases ? undefined : knownExample?.(row);
    const others = onChromosome.get(row.chrom);
    if (known !== undefined) examples[i] = known;
    else if (others === undefined) onChromosome.set(row.chrom, [i]);
    else others.push(i);
  });
  for (const [chrom, indices] of onChromosome) {
    const chromosome = await genome.chromosome(chrom, scattered);
    for (const i of indices) examples[i] = exampleOf(rows[i], chromosome, bases);
  }
  return examples;
}
