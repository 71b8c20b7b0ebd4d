import { InputError } from "../../../base/errors.ts";
import {
  ACTIVITY_WINDOW,
  type ActivityWindow,
  countedPart,
  readActivityWindows,
} from "../../../datasets/chromatin-activity/windows.ts";
import { isProcessedFile } from "../../../datasets/processed-data.ts";
import { openBigWig, type Signal } from "../../../dna/genome/bigwig.ts";
import { isInSplit } from "../../../dna/genome/chromosome-split.ts";
import type { Genome } from "../../../dna/genome/genome.ts";
import { formatInterval, missingChromosomeError } from "../../../dna/genome/interval.ts";
import { windowCodes } from "../../../dna/sequence/encoding.ts";
import { genomeInput, missingInputError, textInput } from "../inputs.ts";
import {
  exampleOfCodes,
  numbersOf,
  pickRows,
  rowsByNumber,
  rowsPerChromosome,
  tableDigest,
} from "../table-rows.ts";
import type { Example, OpenTask, SelectedRows, Selection, Task, TaskInputs } from "../task.ts";
import { ACTIVITY_SETS, type ActivitySet } from "./columns.ts";
import { openExportedActivity } from "./export.ts";

/** A window of one of the three tables, numbered through all of them: peaks, high-confidence peaks, non-peaks. */
interface ActivityRow extends ActivityWindow {
  readonly set: ActivitySet;
}

/** @throws {InputError} when an input is missing, cannot be read, or does not fit the others */
export async function openChromatinActivity(task: Task, inputs: TaskInputs): Promise<OpenTask> {
  const dataset = textInput(task, inputs, "cell-line");
  const { peaks } = inputs;
  if (typeof peaks === "string" && peaks !== "" && (await isProcessedFile(peaks))) {
    return openExportedActivity(task, peaks, dataset);
  }
  const tables: Record<string, readonly ActivityWindow[]> = {};
  for (const set of ACTIVITY_SETS) tables[set] = await tableInput(task, inputs, set);
  const rows: ActivityRow[] = [];
  const starts: number[] = [];
  for (const set of ACTIVITY_SETS) {
    starts.push(rows.length);
    for (const row of tables[set]) rows.push({ ...row, index: rows.length, set });
  }
  const { genome, close: closeGenome } = await genomeInput(task, inputs);
  let closeSignal = async () => {};
  const close = async () => {
    await closeSignal();
    await closeGenome();
  };
  try {
    const given = await signalInput(task, inputs);
    closeSignal = given.close;
    checkSignal(given.signal, rows);
    const digests: Record<string, string> = {};
    for (const set of ACTIVITY_SETS) digests[set] = windowsDigest(tables[set]);
    digests.genome = await genome.digest();
    digests.signal = await given.signal.digest();
    const counts = new Counts(given.signal, rows.length);
    const rowsOf = rowsByNumber(rows);
    return {
      task,
      digests,
      dataset,
      cellLine: dataset,
      select: (selection) => select(rows, starts, genome, selection),
      stratumOf: (row) => rows[row].set,
      examples: (asked) => examplesOf(rowsOf(asked), genome, counts),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function tableInput(task: Task, inputs: TaskInputs, name: string): Promise<readonly ActivityWindow[]> {
  const input = inputs[name];
  if (typeof input === "string" && input !== "") return readActivityWindows(input);
  if (Array.isArray(input)) return checkedWindows(name, input as readonly ActivityWindow[]);
  throw missingInputError(task, name);
}

/** Rows of a user's own making; their numbers are their places. */
function checkedWindows(name: string, windows: readonly ActivityWindow[]): readonly ActivityWindow[] {
  windows.forEach(({ start, end }, i) => {
    if (Number.isSafeInteger(start) && end - start === ACTIVITY_WINDOW) return;
    throw new InputError(
      `entry ${i} of ${name} is [${start}, ${end}): a window has ${ACTIVITY_WINDOW} bases`,
    );
  });
  return windows;
}

async function signalInput(task: Task, inputs: TaskInputs) {
  const { signal: input } = inputs;
  if (typeof input === "string" && input !== "") {
    const signal = await openBigWig(input);
    return { signal, close: () => signal.close() };
  }
  if (typeof input === "object" && "sums" in input) return { signal: input, close: async () => {} };
  throw missingInputError(task, "signal");
}

/** A signal that has none of the tables' chromosomes is another genome's, or names them otherwise. */
function checkSignal({ path, chromosomes }: Signal, rows: readonly ActivityRow[]): void {
  if (rows.length === 0 || rows.some(({ chrom }) => chromosomes.has(chrom))) return;
  const names = [...chromosomes.keys()].slice(0, 5).join(", ");
  throw new InputError(
    `the signal has none of the tables' chromosomes: it has ${names}, and they begin with ${rows[0].chrom}`,
    {
      place: { file: path },
      hint: 'names are compared letter by letter, so "5" is not "chr5"',
    },
  );
}

const windowsDigest = (windows: readonly ActivityWindow[]) =>
  tableDigest(windows, ({ chrom, start, end }) => [chrom, start, end]);

/** Peaks and non-peaks train; the high-confidence peaks, which are peaks too, are only asked. */
function select(
  table: readonly ActivityRow[],
  tables: readonly number[],
  genome: Genome,
  { split, purpose, limit }: Selection,
): SelectedRows {
  const asked = table.filter(
    ({ chrom, set }) => isInSplit(chrom, split) && (purpose === "answer" || set !== "idr"),
  );
  const rows = pickRows(numbersOf(asked), limit);
  const selected = rowsByNumber(table)(rows);
  for (const row of selected) checkPlace(row, genome);
  const lengths = selected.map(({ chrom }) => genome.chromosomes.get(chrom)!);
  // The genome keeps one chromosome while it fetches the next.
  const memory = 2 * lengths.reduce((most, length) => Math.max(most, length), 0);
  return { rows, inTable: table.length, perChromosome: rowsPerChromosome(table), memory, tables };
}

function checkPlace({ set, chrom, start, end }: ActivityRow, genome: Genome): void {
  const length = genome.chromosomes.get(chrom);
  if (length === undefined)
    throw missingChromosomeError(chrom, genome.chromosomes.keys(), { file: genome.path });
  if (start < length && end > 0) return;
  throw new InputError(
    `no base of the window ${chrom}:${start}-${end} (${set}) lies on the chromosome, which has ${length}`,
    {
      place: { file: genome.path },
      hint: "was the table made for another genome, or another version of it?",
    },
  );
}

/** Counts of the rows asked for so far: each is read once, however many models and settings ask for it. */
class Counts {
  private readonly known: Float64Array;

  constructor(
    private readonly signal: Signal,
    rows: number,
  ) {
    this.known = new Float64Array(rows).fill(Number.NaN);
  }

  async of(rows: readonly ActivityRow[]): Promise<readonly number[]> {
    const missing = rows.filter(({ index }) => Number.isNaN(this.known[index]));
    const sums = await this.signal.sums(missing.map(countedPart));
    missing.forEach((row, i) => {
      checkCount(sums[i], row, this.signal);
      this.known[row.index] = sums[i];
    });
    return rows.map(({ index }) => this.known[index]);
  }

  /** Whether the signal knows the row's chromosome; if not, it counts nothing there. */
  isMeasured({ chrom }: ActivityRow): boolean {
    return this.signal.chromosomes.has(chrom);
  }
}

function checkCount(count: number, row: ActivityRow, { path }: Signal): void {
  if (count >= 0 && count < Number.POSITIVE_INFINITY) return;
  throw new InputError(`the signal sums to ${count} over ${formatInterval(countedPart(row))} (${row.set})`, {
    place: { file: path },
    hint: "reads per base are expected, 0 or more: is it a log ratio, or another transformed signal?",
  });
}

/** Chromosome by chromosome, since a genome keeps the last one asked for; in the order given. */
async function examplesOf(
  rows: readonly ActivityRow[],
  genome: Genome,
  counts: Counts,
): Promise<readonly Example[]> {
  const counted = await counts.of(rows);
  const examples = new Array<Example>(rows.length);
  for (const chrom of new Set(rows.map((row) => row.chrom))) {
    const letters = await genome.chromosome(chrom);
    rows.forEach((row, i) => {
      if (row.chrom !== chrom) return;
      examples[i] = exampleOf(row, letters, {
        counts: counted[i],
        ...(counts.isMeasured(row) ? {} : { unmeasured: 1 }),
      });
    });
  }
  return examples;
}

function exampleOf(row: ActivityRow, chromosome: Uint8Array, facts: Example["facts"]): Example {
  const codes = windowCodes(chromosome, row.start, row.end);
  const { chrom, start, end } = countedPart(row);
  return exampleOfCodes(row.index, codes, { set: row.set, chrom, start, end, ...facts });
}
