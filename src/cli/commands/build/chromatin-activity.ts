import { join } from "node:path";
import { InputError } from "../../../base/errors.ts";
import { asSoleWriter } from "../../../base/file-lock.ts";
import { checkWritableFolder, kindOfPath } from "../../../base/folder.ts";
import { counted } from "../../../base/message-text.ts";
import { gcMatchedWindows } from "../../../datasets/chromatin-activity/gc-matched-windows.ts";
import { peakWindows, writeActivityWindows } from "../../../datasets/chromatin-activity/windows.ts";
import { readBed } from "../../../dna/genome/bed.ts";
import { CHROMOSOME_SPLIT } from "../../../dna/genome/chromosome-split.ts";
import { openGenome } from "../../../dna/genome/genome.ts";
import type { Interval } from "../../../dna/genome/interval.ts";
import { count } from "../../../report/numbers.ts";
import { type Context, type DefineCommand, examples, shellWord, wholeNumberOption } from "../../command.ts";

interface ActivityOptions {
  readonly cellLine: string;
  readonly peaks: string;
  readonly idr: string;
  readonly nonpeaks?: string;
  readonly genome?: string;
  readonly exclude: readonly string[];
  readonly perPeak: number;
  readonly seed: number;
  readonly out: string;
}

/** Non-peaks per test peak, as in ChromBPNet's pipeline. */
const PER_TEST_PEAK = 1;

export const defineBuildChromatinActivity: DefineCommand = (command, context) => {
  command
    .command("chromatin-activity")
    .summary("build the tables of task 4 from peaks of a cell line")
    .description(
      "Builds the tables of peaks, high-confidence peaks and non-peaks of one cell line: 2,114 bases around each summit. Non-peaks come from a file, or are sampled from the genome: bins of 2,114 bases every 1,000 bases away from all peaks, matched to the peaks in number and GC content within each chromosome split.",
    )
    .requiredOption("--cell-line <name>", "name of the tables, such as K562")
    .requiredOption("--peaks <narrowPeak>", "all peaks, plain or gzip")
    .requiredOption("--idr <narrowPeak>", "high-confidence peaks, reproducible between replicates (IDR)")
    .option("--nonpeaks <narrowPeak>", "windows without a peak, from ChromBPNet's pipeline")
    .option("--genome <file>", "or the genome to sample them from: FASTA (plain or bgzip) or 2bit")
    .option("--exclude <bed...>", "regions to avoid, such as a blacklist; with --genome", [])
    .option(
      "--per-peak <n>",
      "non-peaks per training and validation peak; one per test peak",
      wholeNumberOption(1),
      2,
    )
    .option("--seed <number>", "seed of the sampled non-peaks", wholeNumberOption(0), 0)
    .requiredOption("--out <folder>", "output folder of the three tables")
    .addHelpText(
      "after",
      examples({
        "with non-peaks sampled from the genome":
          "dart-eval build chromatin-activity --cell-line K562 --peaks K562.narrowPeak.gz --idr K562.idr.narrowPeak.gz --genome hg38.fa --exclude blacklist.bed.gz --out task4",
        "with existing non-peaks":
          "dart-eval build chromatin-activity --cell-line K562 --peaks K562.narrowPeak --idr K562.idr.narrowPeak --nonpeaks K562.nonpeaks.narrowPeak --out task4",
      }),
    )
    .action((options: ActivityOptions) => build(options, context));
};

async function build(options: ActivityOptions, context: Context): Promise<void> {
  const { terminal } = context;
  const { cellLine, peaks, idr, nonpeaks, genome, out } = options;
  if (!/^[\w.+-]+$/.test(cellLine)) {
    throw new InputError(`--cell-line ${JSON.stringify(cellLine)} cannot be part of a file name`, {
      hint: "use letters, digits and . _ + -",
    });
  }
  if ((nonpeaks === undefined) === (genome === undefined)) {
    throw new InputError("non-peaks come either from --nonpeaks or from --genome", {
      hint: nonpeaks === undefined ? "use one of the two" : "leave one of the two out",
    });
  }
  await checkWritableFolder(out);
  // All inputs are checked before the first table is written.
  for (const file of [peaks, idr, nonpeaks, genome, ...options.exclude]) {
    if (file === undefined || (await kindOfPath(file)) !== undefined) continue;
    throw new InputError("no such file or folder", { place: { file } });
  }
  const table = (set: string) => join(out, `${cellLine}_${set}.bed`);
  await writeTable(table("peaks"), windowsOf(peaks, context), context);
  await writeTable(table("idr"), windowsOf(idr, context), context);
  const without = nonpeaks === undefined ? await matched(options, context) : windowsOf(nonpeaks, context);
  await writeTable(table("nonpeaks"), without, context);
  const data = ["peaks", "idr", "nonpeaks"].map((set) => shellWord(`${set}=${table(set)}`)).join(" ");
  terminal.say(
    `next: dart-eval run --task chromatin-activity --data ${data} signal=BIGWIG cell-line=${cellLine} --genome GENOME --model MODEL --setting probed --out FOLDER`,
  );
}

async function writeTable(
  file: string,
  windows: AsyncIterable<Interval> | readonly Interval[],
  { terminal, signal }: Context,
): Promise<void> {
  let rows = 0;
  async function* passing() {
    for await (const window of windows) {
      signal.throwIfAborted();
      rows++;
      yield window;
    }
  }
  await asSoleWriter(file, () => writeActivityWindows(file, passing()));
  terminal.say(`wrote ${file}: ${counted(rows, "window")}`);
}

async function* windowsOf(file: string, { terminal }: Context): AsyncGenerator<Interval> {
  let [inside, outside] = [0, 0];
  for await (const window of peakWindows(file, { onOutside: () => outside++ })) {
    inside++;
    yield window;
  }
  if (inside + outside === 0) throw new InputError("the file has no peaks", { place: { file } });
  if (outside > 0) {
    terminal.say(`note: ${count(outside)} windows of ${file} begin before their chromosome: left out`);
  }
}

/** Windows of the genome away from peaks, matched in GC content. */
async function matched(options: ActivityOptions, context: Context): Promise<readonly Interval[]> {
  const { peaks: file, genome: path, exclude, perPeak, seed } = options;
  const { terminal, signal } = context;
  const peaks: Interval[] = [];
  for await (const window of peakWindows(file)) peaks.push(window);
  const excluded: Interval[] = [];
  for (const bed of [file, ...exclude]) {
    for await (const { chrom, start, end } of readBed(bed)) excluded.push({ chrom, start, end });
  }
  await using genome = await openGenome(path!);
  const { train, val, test } = CHROMOSOME_SPLIT;
  const { windows, skipped, missing } = await gcMatchedWindows({
    genome,
    peaks,
    excluded,
    folds: [
      { chromosomes: train, perPeak },
      { chromosomes: val, perPeak },
      { chromosomes: test, perPeak: PER_TEST_PEAK },
    ],
    seed,
    onChromosome: (name) => terminal.say(`  ${name}`),
    signal,
  });
  if (skipped > 0) {
    terminal.say(
      `note: ${count(skipped)} peaks have no matched non-peaks: they are outside of all splits or reach beyond their chromosome`,
    );
  }
  if (missing > 0) {
    terminal.say(`note: ${count(missing)} non-peaks are missing: all bins away from peaks are used`);
  }
  return windows;
}
