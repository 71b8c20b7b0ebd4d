import { basename, join } from "node:path";
import { cachedDigest } from "../../base/digest.ts";
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

/** Stages of a build, in order. A build may stop after any of them. */
export const BUILD_PARTS = ["peaks", "counts", "differential", "table", "subset"] as const;
export type BuildPart = (typeof BUILD_PARTS)[number];

/** Inputs and stages of `buildCellTypeElements`. */
export interface CellTypeBuild {
  /** Output folder. An interrupted build resumes in the same folder. */
  readonly folder: string;
  /** narrowPeak files. Their order breaks ties between peaks of equal q-value. */
  readonly peaks?: readonly string[];
  /** BAM files of the replicates of each cell line. */
  readonly bams?: ReadonlyMap<CellLine, readonly string[]>;
  /** Existing count table, used instead of peaks and BAM files. */
  readonly counts?: string;
  readonly differential: Differential;
  /** Number of peaks to cluster per cell line; 5,000 as published. */
  readonly subsetSize: number;
  /** Last stage to run. */
  readonly last: BuildPart;
  /** Called before and after each step. */
  readonly onStep?: (what: string, outcome: StepOutcome | "begun") => void;
  /** Called with remarks on a step's result. */
  readonly onNote?: (text: string) => void;
  /** Aborts the current step; the next build repeats it. */
  readonly signal?: AbortSignal;
}

/** Version of the steps' rules. A new version rebuilds all outputs. */
const VERSION = 1;

/** Paths of a build's files, named as in DART-Eval's working directory. */
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
 * Builds Task 3's table and the list of rows to cluster from peaks and reads of the five cell lines:
 *
 * 1. consensus peaks of all lines
 * 2. mapped reads per peak and sample
 * 3. differential analysis of each cell line against the others
 * 4. the table: peaks that are significant in exactly one line
 * 5. the subset: the peaks with the smallest adjusted p-values in a second differential analysis of the
 *   table's peaks
 *
 * Each step writes one file. A step is skipped if its file exists and was made from the same inputs.
 *
 * @throws {InputError} when inputs are missing or contradict one another, or a step fails
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
  if (absent.length > 0) build.onNote?.(`the count table has no sample of ${absent.join(", ")}`);
  for (const line of lines) {
    await makeDifferential(build, line, counts, files.design(line), files.differential(line));
  }
  if (wanted("table")) await makeTable(build, files, lines);
  if (wanted("subset")) await makeSubset(build, files, lines, counts);
}

type Files = ReturnType<typeof filesOfBuild>;

function checkInputs({ peaks = [], bams, counts, last, subsetSize }: CellTypeBuild): void {
  if (!(Number.isSafeInteger(subsetSize) && subsetSize >= 1)) {
    throw new InputError(`${subsetSize} peaks per cell line: expected a whole number from 1`);
  }
  if (counts !== undefined) {
    if (peaks.length === 0 && bams === undefined && last !== "peaks" && last !== "counts") return;
    throw new InputError("a count table replaces peaks and BAM files; both were given", {
      hint: "give only the count table and a stage after counts, or only peaks and BAM files",
    });
  }
  if (peaks.length === 0) throw new InputError("no peak file was given");
  if (last === "peaks") return;
  const missing = CELL_LINES.filter((line) => (bams?.get(line) ?? []).length < 2);
  if (missing.length === 0) return;
  throw new InputError(`differential analysis needs at least two BAM files of ${missing.join(", ")}`);
}

async function step({ onStep, signal }: CellTypeBuild, form: Parameters<typeof doStep>[0]): Promise<void> {
  signal?.throwIfAborted();
  onStep?.(form.label, "begun");
  const outcome = await doStep({ ...form, options: { ...form.options, version: VERSION } });
  onStep?.(form.label, outcome);
}

async function makePeaks(build: CellTypeBuild, output: string): Promise<void> {
  const { peaks = [] } = build;
  await step(build, {
    label: `consensus of ${peaks.length} peak files`,
    output,
    inputs: peaks,
    options: {},
    async make() {
      const { accepted, read, beforeChromosome } = await consensusPeaks(peaks);
      await writeConsensusPeaks(output, accepted);
      build.onNote?.(`${accepted.length} of ${read} peaks accepted`);
      if (beforeChromosome === 0) return;
      build.onNote?.(
        `${beforeChromosome} peaks skipped: the 500 bases around their summit start before the chromosome`,
      );
    },
  });
}

async function makeCounts(build: CellTypeBuild, files: Files): Promise<void> {
  const samples = CELL_LINES.flatMap((line) =>
    (build.bams?.get(line) ?? []).map((bam, i) => ({ sample: `${line}_${i + 1}`, bam })),
  );
  for (const { sample, bam } of samples) {
    const output = files.sampleCounts(sample);
    await step(build, {
      label: `reads per peak of ${sample}, from ${basename(bam)}`,
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
    label: `count table of ${samples.length} samples`,
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

/** Cell lines with samples in a count table, in the order of `CELL_LINES`. */
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
    label: `differential analysis of ${line}, ${basename(counts)}`,
    output: results,
    inputs: [counts],
    options: { line },
    async make() {
      await writeDesign(design, (await readCountTable(counts)).samples, line);
      const { script } = filesOfBuild(folder);
      const by = await differential({ counts, design, results, script, signal });
      build.onNote?.(`run with ${by}`);
    },
  });
}

async function makeTable(build: CellTypeBuild, files: Files, lines: readonly CellLine[]): Promise<void> {
  await step(build, {
    label: "peaks significant in one cell line",
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

/** Runs the second differential analysis, of the table's peaks, and writes the rows to cluster. */
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
    label: "counts of the table's peaks",
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
    label: `the ${subsetSize} peaks with the smallest adjusted p-values per cell line`,
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

/** Build step: reads files and writes one. */
export interface BuildStep {
  /** Label: "reads per peak of GM12878_1, from a.bam". */
  readonly label: string;
  /** File that `make` writes atomically. */
  readonly output: string;
  /** Files that `make` reads. */
  readonly inputs: readonly string[];
  /** Everything else that determines the output. */
  readonly options: Readonly<Record<string, string | number>>;
  make(): Promise<unknown>;
}

/** "kept": the output existed and was made from the same inputs. */
export type StepOutcome = "made" | "kept";

/**
 * Runs a step unless its output exists and was made from the same inputs, so that an interrupted build
 * resumes. The digest of inputs and options is stored in `<output>.from.json`.
 *
 * @throws {InputError} when an input cannot be read, or the step fails
 */
export async function doStep({ output, inputs, options, make }: BuildStep): Promise<StepOutcome> {
  const digests: Record<string, string> = {};
  for (const input of inputs) digests[input] = await cachedDigest(input);
  const from = stableStringify({ inputs: Object.values(digests), options });
  const record = `${output}.from.json`;
  if ((await kindOfPath(output)) === "file" && (await textIfPresent(record)) === from) return "kept";
  // A stale record next to a new output would mark it as up to date.
  await removeFile(record);
  await asSoleWriter(output, make);
  if ((await kindOfPath(output)) !== "file") {
    throw new InputError("the build step did not write this file", { place: { file: output } });
  }
  await writeFileAtomic(record, from);
  return "made";
}
