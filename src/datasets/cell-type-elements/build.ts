import { basename, join } from "node:path";
import { cachedDigest } from "../../base/cached-digest.ts";
import { InputError } from "../../base/errors.ts";
import { asSoleWriter } from "../../base/file-lock.ts";
import { kindOfPath } from "../../base/folder.ts";
import { stableStringify } from "../../base/json.ts";
import { textIfPresent } from "../../base/read-file.ts";
import { removeFile, writeFileAtomic } from "../../base/write-file.ts";
import { CELL_LINES, type CellLine } from "../cell-lines.ts";
import { consensusPeaks, readConsensusPeaks, writeConsensusPeaks } from "./consensus-peaks.ts";
import {
  clusteringRows,
  type Differential,
  type DifferentialPeak,
  readDifferential,
  significantPeaks,
  uniquePeaks,
  writeDesign,
} from "./differential.ts";
import {
  cellLineOfSample,
  countReads,
  countsOfPeaks,
  joinCountTables,
  peakName,
  readCountTable,
  writeCountTable,
} from "./read-counts.ts";
import { readCellTypeElements, writeCellTypeElements, writeRowList } from "./table.ts";

/** The parts of a build, in order; each may be the last. */
export const BUILD_PARTS = ["peaks", "counts", "differential", "table", "subset"] as const;
export type BuildPart = (typeof BUILD_PARTS)[number];

export interface CellTypeBuild {
  /** Where everything is made; a build that was stopped goes on in the same folder. */
  readonly folder: string;
  /** narrowPeak files, in the order in which peaks of equal q-value are taken. */
  readonly peaks?: readonly string[];
  /** BAM files of the replicates of each cell line. */
  readonly bams?: ReadonlyMap<CellLine, readonly string[]>;
  /** A table of counts made elsewhere, in place of peaks and BAM files. */
  readonly counts?: string;
  readonly differential: Differential;
  /** Peaks of each cell line that are clustered; 5,000 as published. */
  readonly subsetSize: number;
  /** Nothing after this part is done. */
  readonly last: BuildPart;
  /** Told before and after each step. */
  readonly onStep?: (what: string, outcome: StepOutcome | "begun") => void;
  /** Told what a user should know of what a step made. */
  readonly onNote?: (text: string) => void;
  /** Ends the step at work, which the next build does again. */
  readonly signal?: AbortSignal;
}

/** Raised when a step's rule changes, so that what older versions made is made again. */
const VERSION = 1;

/** Files of a build, named as in DART-Eval's work folder. */
export function filesOfBuild(folder: string) {
  return {
    peaks: join(folder, "accepted_peaks_all.tsv"),
    sampleCounts: (sample: string) => join(folder, "counts", `${sample}.csv`),
    counts: join(folder, "merged_counts_matrix.csv"),
    design: (line: CellLine) => join(folder, line, "design.csv"),
    differential: (line: CellLine) => join(folder, line, "deseq2_results.csv"),
    table: join(folder, "peaks_by_cell_label_unique_dataloader_format.tsv"),
    uniqueCounts: join(folder, "unique_peaks", "counts_matrix.csv"),
    uniqueDesign: (line: CellLine) => join(folder, "unique_peaks", line, "design.csv"),
    uniqueDifferential: (line: CellLine) => join(folder, "unique_peaks", line, "deseq2_results.csv"),
    subset: join(folder, "indices_of_new_peaks_in_old_file.tsv"),
    script: join(folder, "deseq2.R"),
  };
}

/**
 * Makes Task 3's table, and the list of rows that are clustered, from peaks and reads of the five cell lines: consensus
 * peaks, mapped reads per peak and sample, each cell line against the others by a differential analysis, peaks that are
 * significant in one line only, and of a second analysis over those the ones of smallest adjusted p-value.
 *
 * Each step writes one file and is left out where that file was made from the same inputs before.
 *
 * @throws {InputError} when inputs are missing or contradict one another, and as each step does
 */
export async function buildCellTypeElements(build: CellTypeBuild): Promise<void> {
  const files = filesOfBuild(build.folder);
  const until = BUILD_PARTS.indexOf(build.last);
  const wanted = (part: BuildPart) => BUILD_PARTS.indexOf(part) <= until;
  checkInputs(build);
  if (build.counts === undefined) {
    await makePeaks(build, files.peaks);
    if (wanted("counts")) await makeCounts(build, files);
  }
  if (!wanted("differential")) return;
  const counts = build.counts ?? files.counts;
  const lines = await linesOf(counts);
  const absent = CELL_LINES.filter((line) => !lines.includes(line));
  if (absent.length > 0) build.onNote?.(`the table of counts has no sample of ${absent.join(", ")}`);
  for (const line of lines) {
    await makeDifferential(build, line, counts, files.design(line), files.differential(line));
  }
  if (wanted("table")) await makeTable(build, files, lines);
  if (wanted("subset")) await makeSubset(build, files, lines, counts);
}

type Files = ReturnType<typeof filesOfBuild>;

function checkInputs({ peaks = [], bams, counts, last, subsetSize }: CellTypeBuild): void {
  if (!(Number.isSafeInteger(subsetSize) && subsetSize >= 1)) {
    throw new InputError(`${subsetSize} is no number of peaks for each cell line`);
  }
  if (counts !== undefined) {
    if (peaks.length === 0 && bams === undefined && last !== "peaks" && last !== "counts") return;
    throw new InputError("a table of counts stands in place of peaks and BAM files", {
      hint: "give the table alone, and a later step as the last one; or peaks and BAM files without it",
    });
  }
  if (peaks.length === 0) throw new InputError("no file of peaks was given");
  if (last === "peaks") return;
  const missing = CELL_LINES.filter((line) => (bams?.get(line) ?? []).length < 2);
  if (missing.length === 0) return;
  throw new InputError(`a differential analysis needs two or more BAM files of ${missing.join(", ")}`);
}

async function step({ onStep, signal }: CellTypeBuild, form: Parameters<typeof doStep>[0]): Promise<void> {
  signal?.throwIfAborted();
  onStep?.(form.what, "begun");
  const outcome = await doStep({ ...form, options: { ...form.options, version: VERSION } });
  onStep?.(form.what, outcome);
}

async function makePeaks(build: CellTypeBuild, output: string): Promise<void> {
  const { peaks = [] } = build;
  await step(build, {
    what: `consensus of ${peaks.length} files of peaks`,
    output,
    inputs: peaks,
    options: {},
    async make() {
      const { accepted, read, beforeChromosome } = await consensusPeaks(peaks);
      await writeConsensusPeaks(output, accepted);
      build.onNote?.(`${accepted.length} of ${read} peaks are taken`);
      if (beforeChromosome === 0) return;
      build.onNote?.(
        `left out: ${beforeChromosome}, since the 500 bases around their summit begin before the chromosome`,
      );
    },
  });
}

async function makeCounts(build: CellTypeBuild, files: Files): Promise<void> {
  const samples = CELL_LINES.flatMap((line) =>
    build.bams!.get(line)!.map((bam, i) => ({ sample: `${line}_${i + 1}`, bam })),
  );
  for (const { sample, bam } of samples) {
    const output = files.sampleCounts(sample);
    await step(build, {
      what: `reads per peak of ${sample}, from ${basename(bam)}`,
      output,
      inputs: [files.peaks, bam],
      options: { sample },
      async make() {
        const peaks = await readConsensusPeaks(files.peaks);
        const counts = [await countReads(bam, peaks, build.signal)];
        await writeCountTable(output, { samples: [sample], peaks: peaks.map(peakName), counts });
      },
    });
  }
  const inputs = samples.map(({ sample }) => files.sampleCounts(sample));
  await step(build, {
    what: `table of counts of ${samples.length} samples`,
    output: files.counts,
    inputs,
    options: {},
    async make() {
      const tables = [];
      for (const input of inputs) tables.push(await readCountTable(input));
      await writeCountTable(files.counts, joinCountTables(tables));
    },
  });
}

/** Cell lines that a table of counts has samples of, in their fixed order. */
async function linesOf(counts: string): Promise<readonly CellLine[]> {
  const { samples } = await readCountTable(counts);
  const found = new Set(samples.map(cellLineOfSample));
  return CELL_LINES.filter((line) => found.has(line));
}

async function makeDifferential(
  build: CellTypeBuild,
  line: CellLine,
  counts: string,
  design: string,
  results: string,
): Promise<void> {
  const { differential, folder, signal } = build;
  await step(build, {
    what: `${line} against the others, ${basename(counts)}`,
    output: results,
    inputs: [counts],
    options: { line },
    async make() {
      await writeDesign(design, (await readCountTable(counts)).samples, line);
      const { script } = filesOfBuild(folder);
      const by = await differential({ counts, design, results, script, signal });
      build.onNote?.(`done by ${by}`);
    },
  });
}

async function makeTable(build: CellTypeBuild, files: Files, lines: readonly CellLine[]): Promise<void> {
  await step(build, {
    what: "peaks of one cell line only",
    output: files.table,
    inputs: lines.map(files.differential),
    options: { lines: lines.join(" ") },
    async make() {
      const significant = new Map<CellLine, readonly string[]>();
      for (const line of lines) {
        significant.set(line, significantPeaks(await readDifferential(files.differential(line))));
      }
      await writeCellTypeElements(files.table, uniquePeaks(significant).rows);
    },
  });
}

/** A second analysis, over the table's peaks alone. */
async function makeSubset(
  build: CellTypeBuild,
  files: Files,
  lines: readonly CellLine[],
  counts: string,
): Promise<void> {
  const { subsetSize } = build;
  const tablePeaks = async () =>
    (await readCellTypeElements(files.table)).map(({ chrom, inputStart, inputEnd }) =>
      peakName({ chrom, start: inputStart, end: inputEnd }),
    );
  await step(build, {
    what: "counts of the table's peaks",
    output: files.uniqueCounts,
    inputs: [counts, files.table],
    options: {},
    async make() {
      const wanted = new Set(await tablePeaks());
      await writeCountTable(files.uniqueCounts, countsOfPeaks(await readCountTable(counts), wanted));
    },
  });
  for (const line of lines) {
    await makeDifferential(
      build,
      line,
      files.uniqueCounts,
      files.uniqueDesign(line),
      files.uniqueDifferential(line),
    );
  }
  await step(build, {
    what: `the ${subsetSize} peaks of smallest adjusted p-value per cell line`,
    output: files.subset,
    inputs: [files.table, ...lines.map(files.uniqueDifferential)],
    options: { subsetSize },
    async make() {
      const analyses: (readonly DifferentialPeak[])[] = [];
      for (const line of lines) analyses.push(await readDifferential(files.uniqueDifferential(line)));
      await writeRowList(files.subset, clusteringRows(analyses, await tablePeaks(), subsetSize));
    },
  });
}

/** A step of building a data set: files in, one file out. */
export interface BuildStep {
  /** In words: "counting reads of GM12878_1". */
  readonly what: string;
  /** The file that it makes, whole or not at all. */
  readonly output: string;
  /** Files that it reads. */
  readonly inputs: readonly string[];
  /** Whatever else decides the output; with the version of the step's rule. */
  readonly options: Readonly<Record<string, string | number>>;
  make(): Promise<unknown>;
}

/** "kept": its output was there, made from the same inputs. */
export type StepOutcome = "made" | "kept";

/**
 * Does a step, unless its output is there and was made from the same inputs: so a build that was stopped goes on where it
 * was. What an output was made from is kept beside it, in `<output>.from.json`.
 *
 * @throws {InputError} when an input cannot be read, and whatever the step throws
 */
export async function doStep({ output, inputs, options, make }: BuildStep): Promise<StepOutcome> {
  const digests: Record<string, string> = {};
  for (const input of inputs) digests[input] = await cachedDigest(input);
  const from = stableStringify({ inputs: Object.values(digests), options });
  const record = `${output}.from.json`;
  if ((await kindOfPath(output)) === "file" && (await textIfPresent(record)) === from) return "kept";
  // What the output is from now on is not known before it is whole.
  await removeFile(record);
  await asSoleWriter(output, make);
  if ((await kindOfPath(output)) !== "file") {
    throw new InputError("this file was not made by its step", { place: { file: output } });
  }
  await writeFileAtomic(record, from);
  return "made";
}
