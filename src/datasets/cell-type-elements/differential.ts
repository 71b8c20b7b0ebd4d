import { startProgram } from "../../base/child-program.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import { readPackageFile } from "../../base/package.ts";
import { type FieldPlace, parseDecimal } from "../../base/table.ts";
import { forEachLine } from "../../base/text-lines.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import type { CellLine } from "../cell-lines.ts";
import { cellLineOfSample, peakInterval } from "./read-counts.ts";
import type { CellTypeElementRow } from "./table.ts";

/** One cell line against all others. */
export interface DifferentialRequest {
  /** A table of counts: `peak`, then a column per sample. */
  readonly counts: string;
  /** Sample and condition, as `writeDesign` writes it. */
  readonly design: string;
  /** Where the results go. */
  readonly results: string;
  /** Where the script is put that is run, beside what it makes. */
  readonly script: string;
  /** Ends the analysis, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Runs a differential analysis; tells by what it was done. */
export type Differential = (request: DifferentialRequest) => Promise<string>;

/** What is said of one peak. */
export interface DifferentialPeak {
  readonly peak: string;
  /** Of the cell line over the others; NaN where there is none. */
  readonly log2FoldChange: number;
  /** p-value adjusted for many peaks; NaN where there is none. */
  readonly padj: number;
}

/**
 * Writes which samples are of a cell line and which are others.
 * @throws {InputError} when a sample's name begins with no cell line, or the line has fewer than two samples
 */
export async function writeDesign(path: string, samples: readonly string[], line: CellLine): Promise<void> {
  const lines = samples.map((sample) => [sample, cellLineOfSample(sample) === line ? line : "other"]);
  const own = lines.filter(([, condition]) => condition === line).length;
  if (own < 2 || own === lines.length) {
    throw new InputError(
      `of ${lines.length} samples ${own} are of ${line}; a differential analysis needs two or more, and others`,
    );
  }
  await writeFileAtomic(
    path,
    `${[["sample", "condition"], ...lines].map((fields) => fields.join(",")).join("\n")}\n`,
  );
}

/** Longest line that the script may print. */
const LONGEST_LINE = 2 ** 16;

/** Exit code of the script where R is there and DESeq2 is not. */
const NO_DESEQ2 = 3;

const INSTALL = "on Debian and Ubuntu: apt-get install r-bioc-deseq2";

/**
 * DESeq2 by our own R script, `scripts/deseq2.R` of this package.
 *
 * @param rscript  the program that runs it
 * @throws {InputError} when R or DESeq2 is not installed, or the script fails
 * @throws the signal's reason, once the program has ended
 * @see Love, Huber & Anders 2014, doi:10.1186/s13059-014-0550-8
 */
export function deseq2(rscript = "Rscript"): Differential {
  return async ({ counts, design, results, script, signal }) => {
    await writeFileAtomic(script, await readPackageFile("scripts/deseq2.R"));
    signal?.throwIfAborted();
    const program = startProgram([rscript, "--vanilla", script, counts, design, results], {
      longestLine: LONGEST_LINE,
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
        throw new InputError(`${rscript} cannot be started: R is needed for the differential analysis`, {
          hint: INSTALL,
          cause: said.error,
        });
      }
      if (said.how === "code" && said.code === NO_DESEQ2) {
        throw new InputError("R has no DESeq2, which the differential analysis needs", { hint: INSTALL });
      }
      const how = said.how === "code" ? `with code ${said.code}` : `by ${said.how}`;
      throw new InputError(`the differential analysis ended ${how}`, {
        place: { file: script },
        hint: `what R said stands above; by hand: ${rscript} ${script} ${counts} ${design} ${results}`,
      });
    }
  };
}

/**
 * Results of a differential analysis, in the order of the file: a table with the columns peak, log2FoldChange and padj among
 * others, separated by commas, NA where there is no number.
 *
 * @throws {FormatError} when a column is missing, or a field is neither a number nor NA
 */
export async function readDifferential(path: string): Promise<readonly DifferentialPeak[]> {
  const peaks: DifferentialPeak[] = [];
  let places: readonly number[] | undefined;
  await forEachLine(path, (text, line) => {
    const place = { file: path, line };
    const fields = text.split(",");
    if (places === undefined) {
      places = ["peak", "log2FoldChange", "padj"].map((column) => columnOf(fields, column, place));
      return;
    }
    if (text === "") return;
    const [peak, log2FoldChange, padj] = places.map((at) => fields[at]);
    peaks.push({
      peak: peak ?? "",
      log2FoldChange: numberOrNone(log2FoldChange, "log2FoldChange", place),
      padj: numberOrNone(padj, "padj", place),
    });
  });
  if (places === undefined) throw new FormatError({ file: path }, "the table is empty");
  return peaks;
}

function columnOf(header: readonly string[], column: string, place: FieldPlace): number {
  const at = header.indexOf(column);
  if (at >= 0) return at;
  throw new FormatError(
    place,
    `there is no column ${JSON.stringify(column)}; the header names ${header.join(", ")}`,
  );
}

function numberOrNone(text: string | undefined, name: string, place: FieldPlace): number {
  if (text === "NA") return Number.NaN;
  const value = parseDecimal(text ?? "");
  if (Number.isFinite(value)) return value;
  throw new FormatError(place, `${name} ${JSON.stringify((text ?? "").slice(0, 40))} is not a number`);
}

/** A peak is a cell line's own below this adjusted p-value and above this log2 of the fold change. */
const LARGEST_PADJ = 0.001;
const LEAST_LOG2_FOLD = 1;

/** Peaks significantly more open in a cell line than in the others. A peak without an adjusted p-value is not. */
export function significantPeaks(found: readonly DifferentialPeak[]): readonly string[] {
  return found
    .filter(({ padj, log2FoldChange }) => padj < LARGEST_PADJ && log2FoldChange > LEAST_LOG2_FOLD)
    .map(({ peak }) => peak);
}

/** How many peaks of each cell line are significant, and how many of them in no other. */
export type PeakCounts = ReadonlyMap<CellLine, { readonly significant: number; readonly unique: number }>;

/**
 * The rows of Task 3: peaks significant in exactly one cell line, by chromosome as text, then start.
 *
 * @param significant  per cell line, names of its significant peaks, each once
 * @throws {InputError} when a name is no peak's
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
 * Rows that are clustered: of each cell line's analysis the peaks of smallest adjusted p-value, whatever the direction of
 * their change (quirk Q30), each once. Of equal ones those first in the table are taken.
 *
 * @param analyses  one per cell line, over the table's peaks
 * @param rows      names of the table's peaks, in its order
 * @param size      peaks of each cell line; 5,000 as published
 * @returns         row numbers, ascending
 */
export function clusteringRows(
  analyses: Iterable<readonly DifferentialPeak[]>,
  rows: readonly string[],
  size: number,
): readonly number[] {
  const numbers = new Map(rows.map((peak, row) => [peak, row]));
  const taken = new Set<number>();
  for (const found of analyses) {
    const ranked = found
      .map(({ peak, padj }) => ({ row: numbers.get(peak), padj }))
      .filter(
        (one): one is { row: number; padj: number } => one.row !== undefined && !Number.isNaN(one.padj),
      );
    ranked.sort((a, b) => a.padj - b.padj || a.row - b.row);
    for (const { row } of ranked.slice(0, size)) taken.add(row);
  }
  return [...taken].sort((a, b) => a - b);
}
