import { InputError } from "../../../base/errors.ts";
import {
  ACTIVITY_WINDOW,
  type ActivityWindow,
  countedPart,
  readActivityWindows,
} from "../../../datasets/chromatin-activity/windows.ts";
import { isProcessedFile } from "../../../datasets/processed-data.ts";
import { openBigWig, type Signal } from "../../../dna/genome/bigwig.ts";
import type { Genome } from "../../../dna/genome/genome.ts";
import { formatInterval } from "../../../dna/genome/interval.ts";
import { windowCodes } from "../../../dna/sequence/encoding.ts";
import { flankOf, refuseContext, widened } from "../context.ts";
import { openGenomeTable, tableRows } from "../genome-table.ts";
import { isRows, missingInputError, rowsInput, textInput } from "../inputs.ts";
import { exampleOfCodes, tableDigest } from "../table-rows.ts";
import type { OpenOptions, OpenTask, Task } from "../task.ts";
import type { Example } from "../task-rows.ts";
import { ACTIVITY_SETS, type ActivityFacts, type ActivitySet } from "./columns.ts";
import { openExportedActivity } from "./export.ts";

type Windows = string | readonly ActivityWindow[];

/** Inputs of Task 4. DART-Eval's data.h5 as `peaks` needs only the cell line. */
export type ChromatinActivityInputs = {
  /** Path of the table or of DART-Eval's data.h5, or windows. */
  readonly peaks: Windows;
  /** High-confidence peaks. */
  readonly idr?: Windows | undefined;
  /** Windows without a peak. */
  readonly nonpeaks?: Windows | undefined;
  readonly genome?: string | Genome | undefined;
  /** Reads per base: path of a bigWig, or an open signal. */
  readonly signal?: string | Signal | undefined;
  /** Name of the data set. */
  readonly "cell-line": string;
};

/**
 * A window of one of the three tables, which are numbered consecutively: peaks, high-confidence peaks,
 * non-peaks.
 */
interface ActivityRow extends ActivityWindow {
  readonly set: ActivitySet;
}

/** @throws {InputError} when an input is missing, cannot be read, or does not fit the others */
export async function openChromatinActivity(
  task: Task,
  inputs: ChromatinActivityInputs,
  { context }: Pick<OpenOptions, "context">,
): Promise<OpenTask<ActivityFacts>> {
  const dataset = textInput(task, "cell-line", inputs["cell-line"]);
  const { peaks } = inputs;
  if (typeof peaks === "string" && peaks !== "" && (await isProcessedFile(peaks))) {
    refuseContext(peaks, context);
    return openExportedActivity(task, peaks, dataset);
  }
  const flank = flankOf(task, context);
  const windows = {
    peaks: await readWindows(task, "peaks", inputs.peaks),
    idr: await readWindows(task, "idr", inputs.idr),
    nonpeaks: await readWindows(task, "nonpeaks", inputs.nonpeaks),
  };
  const rows: ActivityRow[] = [];
  const tables: number[] = [];
  for (const set of ACTIVITY_SETS) {
    tables.push(rows.length);
    for (const row of windows[set]) rows.push({ ...row, index: rows.length, set });
  }
  const { signal, close: closeSignal } = await signalInput(task, inputs.signal);
  try {
    checkSignal(signal, rows);
    const counts = new Counts(signal, rows.length);
    const table = await openGenomeTable({
      task,
      genome: inputs.genome,
      read: async () => tableRows(rows),
      digest: () => ({
        peaks: windowsDigest(windows.peaks),
        idr: windowsDigest(windows.idr),
        nonpeaks: windowsDigest(windows.nonpeaks),
      }),
      place: ({ start, end, set }: ActivityRow) => ({ start, end, name: `the window (${set})` }),
      // High-confidence peaks are peaks too: they are evaluated, but do not train.
      includes: ({ set }, { purpose }) => purpose === "evaluate" || set !== "idr",
      exampleOf: (row, chromosome) => exampleOf(row, chromosome, counts, flank),
    });
    return {
      ...widened(task, context),
      digests: { ...table.digests, signal: await signal.digest() },
      dataset,
      cellLine: dataset,
      select: (selection) => ({ ...table.select(selection), tables }),
      stratumOf: (row) => rows[row].set,
      async examples(numbers, options) {
        await counts.load(table.rows.rowsOf(numbers));
        return table.examples(numbers, options);
      },
      async close() {
        await closeSignal();
        await table.close();
      },
    };
  } catch (error) {
    await closeSignal();
    throw error;
  }
}

/** Rows of one table; the index of a window in memory is its number. */
async function readWindows(
  task: Task,
  name: ActivitySet,
  input: Windows | undefined,
): Promise<readonly ActivityWindow[]> {
  const windows = await rowsInput(task, name, input, readActivityWindows);
  if (isRows(input)) checkWindows(name, windows);
  return windows;
}

function checkWindows(name: ActivitySet, windows: readonly ActivityWindow[]): void {
  windows.forEach(({ start, end }, i) => {
    if (Number.isSafeInteger(start) && end - start === ACTIVITY_WINDOW) return;
    throw new InputError(`entry ${i} of ${name} is [${start}, ${end}); expected ${ACTIVITY_WINDOW} bases`);
  });
}

async function signalInput(task: Task, input: string | Signal | undefined) {
  if (typeof input === "string" && input !== "") {
    const signal = await openBigWig(input);
    return { signal, close: () => signal.close() };
  }
  if (typeof input === "object" && "sums" in input) return { signal: input, close: async () => {} };
  throw missingInputError(task, "signal");
}

/** A signal without any of the tables' chromosomes is of another genome, or uses other names. */
function checkSignal({ path, chromosomes }: Signal, rows: readonly ActivityRow[]): void {
  if (rows.length === 0 || rows.some(({ chrom }) => chromosomes.has(chrom))) return;
  const names = [...chromosomes.keys()].slice(0, 5).join(", ");
  throw new InputError(
    `the signal has none of the tables' chromosomes: it has ${names}, and they begin with ${rows[0].chrom}`,
    { place: { file: path }, hint: 'names must be equal: "5" is not "chr5"' },
  );
}

const windowsDigest = (windows: readonly ActivityWindow[]) =>
  tableDigest(windows, ({ chrom, start, end }) => [chrom, start, end]);

/** Read counts of rows. Each row is read once, however many models and settings evaluate it. */
class Counts {
  private readonly known: Float64Array;

  constructor(
    private readonly signal: Signal,
    rows: number,
  ) {
    this.known = new Float64Array(rows).fill(Number.NaN);
  }

  /** Reads the counts of rows that are not known yet. */
  async load(rows: readonly ActivityRow[]): Promise<void> {
    const missing = rows.filter(({ index }) => Number.isNaN(this.known[index]));
    const sums = await this.signal.sums(missing.map(countedPart));
    missing.forEach((row, i) => {
      checkCount(sums[i], row, this.signal);
      this.known[row.index] = sums[i];
    });
  }

  /** Count of a loaded row; 0 and `unmeasured` if the signal lacks its chromosome. */
  factsOf({ index, chrom }: ActivityRow): Pick<ActivityFacts, "counts" | "unmeasured"> {
    const counts = this.known[index];
    return this.signal.chromosomes.has(chrom) ? { counts } : { counts, unmeasured: 1 };
  }
}

function checkCount(count: number, row: ActivityRow, { path }: Signal): void {
  if (count >= 0 && count < Number.POSITIVE_INFINITY) return;
  throw new InputError(`the signal sums to ${count} over ${formatInterval(countedPart(row))} (${row.set})`, {
    place: { file: path },
    hint: "expected reads per base, 0 or more: is it a log ratio, or another transformed signal?",
  });
}

function exampleOf(
  row: ActivityRow,
  chromosome: Uint8Array,
  counts: Counts,
  flank: number,
): Example<ActivityFacts> {
  const codes = windowCodes(chromosome, row.start - flank, row.end + flank);
  const { chrom, start, end } = countedPart(row);
  return exampleOfCodes(row.index, codes, { set: row.set, chrom, start, end, ...counts.factsOf(row) });
}
