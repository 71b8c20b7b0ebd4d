import type { CellLine } from "../cell-lines.ts";
import { peakInterval } from "./count-table.ts";
import type { DifferentialPeak } from "./differential.ts";
import type { CellTypeElementRow } from "./table.ts";

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
