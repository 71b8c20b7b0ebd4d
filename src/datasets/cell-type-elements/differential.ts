import { startProgram } from "../../base/child-program.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import { readPackageFile } from "../../base/package.ts";
import { type FieldPlace, parseDecimal } from "../../base/table.ts";
import { forEachLine } from "../../base/text-lines.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import type { CellLine } from "../cell-lines.ts";
import { cellLineOfSample, peakInterval } from "./read-counts.ts";
import type { CellTypeElementRow } from "./table.ts";

/** Files of the differential analysis of one cell line against all others. */
export interface DifferentialRequest {
  /** Count table: `peak`, then a column per sample. */
  readonly counts: string;
  /** Table of samples and conditions, as `writeDesign` writes it. */
  readonly design: string;
  /** Output file. */
  readonly results: string;
  /** Path to which the R script is written before it runs. */
  readonly script: string;
  /** Aborts the analysis. */
  readonly signal?: AbortSignal | undefined;
}

/** Runs a differential analysis and returns the name and version of the program that did it. */
export type Differential = (request: DifferentialRequest) => Promise<string>;

/** Result of a differential analysis for one peak. */
export interface DifferentialPeak {
  readonly peak: string;
  /** Cell line over the other lines; NaN if not available. */
  readonly log2FoldChange: number;
  /** p-value adjusted for multiple testing; NaN if not available. */
  readonly padj: number;
}

/**
 * Writes the table of samples and conditions: the cell line's name or "other".
 * @throws {InputError} when a sample's name does not begin with a cell line, or the line has fewer than two
 *   samples
 */
export async function writeDesign(path: string, samples: readonly string[], line: CellLine): Promise<void> {
  const lines = samples.map((sample) => [sample, cellLineOfSample(sample) === line ? line : "other"]);
  const own = lines.filter(([, condition]) => condition === line).length;
  if (own < 2 || own === lines.length) {
    throw new InputError(
      `${own} of ${lines.length} samples are of ${line}; differential analysis needs at least two, and samples of other lines`,
    );
  }
  await writeFileAtomic(
    path,
    `${[["sample", "condition"], ...lines].map((fields) => fields.join(",")).join("\n")}\n`,
  );
}

/** Longest line that the script may print, in bytes. */
const MAX_LINE_LENGTH = 2 ** 16;

/** Exit code of the script if DESeq2 is not installed. */
const NO_DESEQ2 = 3;

const INSTALL = "on Debian and Ubuntu: apt-get install r-bioc-deseq2";

/**
 * Differential analysis by DESeq2, run with this package's `scripts/deseq2.R`.
 *
 * @param rscript  command that runs R scripts
 * @throws {InputError} when R or DESeq2 is not installed, or the script fails
 * @throws the signal's reason, after the program has exited
 * @see Love, Huber & Anders 2014, doi:10.1186/s13059-014-0550-8
 */
export function deseq2(rscript = "Rscript"): Differential {
  return async ({ counts, design, results, script, signal }) => {
    await writeFileAtomic(script, await readPackageFile("scripts/deseq2.R"));
    signal?.throwIfAborted();
    const program = startProgram([rscript, "--vanilla", script, counts, design, results], {
      maxLineLength: MAX_LINE_LENGTH,
    });
    let by = "DESeq2";
    const stop = () => void program.stop(0);
    signal?.addEventListener("abort", stop);
    for (;;) {
      const said = await program.nextLine();
      if (typeof said === "string") {
        by = said.trim();
        continue;
      }
      signal?.removeEventListener("abort", stop);
      signal?.throwIfAborted();
      if (said.how === "code" && said.code === 0) return by;
      if (said.how === "not started") {
        throw new InputError(`${rscript} cannot be started; the differential analysis needs R`, {
          hint: INSTALL,
          cause: said.error,
        });
      }
      if (said.how === "code" && said.code === NO_DESEQ2) {
        throw new InputError("the R package DESeq2 is not installed; the differential analysis needs it", {
          hint: INSTALL,
        });
      }
      const how = said.how === "code" ? `with code ${said.code}` : `by ${said.how}`;
      throw new InputError(`the differential analysis failed ${how}`, {
        place: { file: script },
        hint: `see R's messages above; to repeat it: ${rscript} ${script} ${counts} ${design} ${results}`,
      });
    }
  };
}

/**
 * Reads the results of a differential analysis, in file order: CSV with at least the columns peak,
 * log2FoldChange and padj, NA for missing numbers.
 *
 * @throws {FormatError} when a column is missing, or a field is neither a number nor NA
 */
export async function readDifferential(path: string): Promise<readonly DifferentialPeak[]> {
  const peaks: DifferentialPeak[] = [];
  let columns: readonly number[] | undefined;
  await forEachLine(path, (text, line) => {
    const place = { file: path, line };
    const fields = text.split(",");
    if (columns === undefined) {
      columns = ["peak", "log2FoldChange", "padj"].map((column) => columnOf(fields, column, place));
      return;
    }
    if (text === "") return;
    const [peak, log2FoldChange, padj] = columns.map((at) => fields[at]);
    peaks.push({
      peak: peak ?? "",
      log2FoldChange: numberOrNone(log2FoldChange, "log2FoldChange", place),
      padj: numberOrNone(padj, "padj", place),
    });
  });
  if (columns === undefined) throw new FormatError({ file: path }, "the table is empty");
  return peaks;
}

function columnOf(header: readonly string[], column: string, place: FieldPlace): number {
  const at = header.indexOf(column);
  if (at >= 0) return at;
  throw new FormatError(
    place,
    `there is no column ${JSON.stringify(column)}; the header has ${header.join(", ")}`,
  );
}

function numberOrNone(text: string | undefined, name: string, place: FieldPlace): number {
  if (text === "NA") return Number.NaN;
  const value = parseDecimal(text ?? "");
  if (Number.isFinite(value)) return value;
  throw new FormatError(place, `${name} ${JSON.stringify((text ?? "").slice(0, 40))} is not a number`);
}

/** Thresholds of a significant peak: adjusted p-value below, log2 fold change above. */
const MAX_PADJ = 0.001;
const MIN_LOG2_FOLD = 1;

/**
 * Names of the peaks that are significantly more open in a cell line than in the others. NaN is not
 * significant.
 */
export function significantPeaks(found: readonly DifferentialPeak[]): readonly string[] {
  return found
    .filter(({ padj, log2FoldChange }) => padj < MAX_PADJ && log2FoldChange > MIN_LOG2_FOLD)
    .map(({ peak }) => peak);
}

/** Number of significant peaks per cell line, and of those significant in no other line. */
export type PeakCounts = ReadonlyMap<CellLine, { readonly significant: number; readonly unique: number }>;

/**
 * Task 3's rows: peaks significant in exactly one cell line, sorted by chromosome name, then start.
 *
 * @param significant  unique names of the significant peaks per cell line
 * @throws {InputError} when a name is not a peak's
 */
export function uniquePeaks(significant: ReadonlyMap<CellLine, readonly string[]>): {
  readonly rows: readonly CellTypeElementRow[];
  readonly counts: PeakCounts;
} {
  const lines = new Map<string, number>();
  for (const peaks of significant.values())
    for (const peak of peaks) lines.set(peak, (lines.get(peak) ?? 0) + 1);
  const counts = new Map<CellLine, { significant: number; unique: number }>();
  const rows: Omit<CellTypeElementRow, "index">[] = [];
  for (const [label, peaks] of significant) {
    const own = peaks.filter((peak) => lines.get(peak) === 1);
    counts.set(label, { significant: peaks.length, unique: own.length });
    for (const peak of own) {
      const { chrom, start, end } = peakInterval(peak);
      rows.push({ chrom, inputStart: start, inputEnd: end, elementStart: start, elementEnd: end, label });
    }
  }
  rows.sort((a, b) => (a.chrom === b.chrom ? a.inputStart - b.inputStart : a.chrom < b.chrom ? -1 : 1));
  return { rows: rows.map((row, index) => ({ index, ...row })), counts };
}

/**
 * Rows to cluster: the peaks with the smallest adjusted p-values of each cell line's analysis, in either
 * direction of change (quirk Q30), without repeats. Ties go to the earlier row.
 *
 * @param analyses  one per cell line, over the table's peaks
 * @param rows      names of the table's peaks, in table order
 * @param size      peaks per cell line; 5,000 as published
 * @returns         row numbers, ascending
 */
export function clusteringRows(
  analyses: Iterable<readonly DifferentialPeak[]>,
  rows: readonly string[],
  size: number,
): readonly number[] {
  const numbers = new Map(rows.map((peak, row) => [peak, row]));
  const chosen = new Set<number>();
  for (const found of analyses) {
    const ranked = found
      .map(({ peak, padj }) => ({ row: numbers.get(peak), padj }))
      .filter(
        (one): one is { row: number; padj: number } => one.row !== undefined && !Number.isNaN(one.padj),
      );
    ranked.sort((a, b) => a.padj - b.padj || a.row - b.row);
    for (const { row } of ranked.slice(0, size)) chosen.add(row);
  }
  return [...chosen].sort((a, b) => a - b);
}
