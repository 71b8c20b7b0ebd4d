import type { Pcg64 } from "../../base/pcg64.ts";
import { CELL_LINES, type CellLine } from "../../datasets/cell-lines.ts";
import type { Peak } from "./peaks.ts";
import { BACKGROUND_CUTS, drawCount, meanCuts } from "./signal.ts";
import type { TrueElement } from "./truth.ts";
import { tsv } from "./tsv.ts";

/** Elements as a BED file: chrom, start, end, name, score, strand, kind. */
export const elementsBed = (elements: readonly TrueElement[]): string =>
  tsv(elements.map(({ id, chrom, start, end, kind }) => [chrom, start, end, id, 0, ".", kind]));

/** Peaks as narrowPeak: p and q as -log10, the summit from the start. */
export function narrowPeak(cell: CellLine, peaks: readonly Peak[]): string {
  return tsv(
    peaks.map(({ chrom, start, end, summit, fold, p, q }, i) => {
      const score = Math.min(1000, Math.round(10 * q));
      const numbers = [fold, p, q].map((value) => value.toFixed(5));
      return [chrom, start, end, `${cell}_peak_${i + 1}`, score, ".", ...numbers, summit - start];
    }),
  );
}

/** Non-peaks as ChromBPNet's tools leave them: narrowPeak with a dot where there is nothing to say. */
export const nonPeaksBed = (windows: readonly { chrom: string; start: number }[]): string =>
  tsv(windows.map(({ chrom, start }) => [chrom, start, start + 2114, ...".".repeat(6), 1057]));

const ACTIVITY_COLUMNS = ["chr", "input_start", "input_end", "elem_start", "elem_end"];

/** Task 4's table: 2,114 bases around each summit for the model, the middle 1,000 counted. */
export function chromatinActivityTable(rows: readonly { chrom: string; summit: number }[]): string {
  return tsv([
    [...ACTIVITY_COLUMNS, "elem_relative_start", "elem_relative_end"],
    ...rows.map(({ chrom, summit }) => [
      ...[chrom, summit - 1057, summit + 1057, summit - 500, summit + 500],
      ...[557, 1557],
    ]),
  ]);
}

/** Least log2 of an element's cuts over their mean in the other lines that makes it this line's own. */
const LEAST_LOG2_FOLD = 1;

/** The cell line that an element belongs to by its true activity: twice the mean of the others, in one line only. */
function ownCellLine({ logActivity }: TrueElement): CellLine | undefined {
  const means = Array.from(logActivity, (activity) => meanCutsIn500(activity));
  const sum = means.reduce((a, b) => a + b);
  const own = CELL_LINES.filter((_, cell) => {
    const others = (sum - means[cell]!) / (means.length - 1);
    return Math.log2(means[cell]! / others) > LEAST_LOG2_FOLD;
  });
  return own.length === 1 ? own[0] : undefined;
}

const meanCutsIn500 = (activity: number): number => 500 * BACKGROUND_CUTS + meanCuts(activity);

/** Task 3's table: 500 bases around the summit of each peak of one cell line only, by chromosome and start. */
export function cellTypePeaksTable(
  peaks: ReadonlyMap<CellLine, readonly Peak[]>,
  elements: readonly TrueElement[],
): string {
  const rows = elements.flatMap((element) => {
    const label = ownCellLine(element);
    const peak = label && peaks.get(label)!.find((called) => called.element === element.planted);
    if (label === undefined || peak === undefined) return [];
    const [start, end] = [peak.summit - 250, peak.summit + 250];
    return [[element.chrom, start, end, start, end, true, label]];
  });
  return tsv([[...ACTIVITY_COLUMNS, "is_peak", "label"], ...rows]);
}

/** Samples of each cell line in the matrix of counts. */
const REPLICATES = 3;

/** Counts of elements that are a peak somewhere, in three samples of each cell line: what differential analysis starts from. */
export function countsMatrix(
  rng: Pcg64,
  peaks: ReadonlyMap<CellLine, readonly Peak[]>,
  elements: readonly TrueElement[],
): string {
  const open = new Set(Array.from(peaks.values()).flatMap((list) => list.map(({ element }) => element)));
  const samples = CELL_LINES.flatMap((cell) =>
    Array.from({ length: REPLICATES }, (_, i) => `${cell}_${i + 1}`),
  );
  const lines = [["peak", ...samples].join(",")];
  for (const element of elements) {
    if (!open.has(element.planted)) continue;
    const start = element.centre - 250;
    const counts = Array.from(element.logActivity).flatMap((activity) =>
      Array.from({ length: REPLICATES }, () => drawCount(rng, meanCutsIn500(activity))),
    );
    lines.push([`${element.chrom}:${start}-${start + 500}`, ...counts].join(","));
  }
  return `${lines.join("\n")}\n`;
}
