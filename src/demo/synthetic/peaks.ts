import type { Pcg64 } from "../../base/pcg64.ts";
import { normal, shuffle } from "../../base/random.ts";
import { valueAt } from "../../base/record.ts";
import { ACTIVITY_WINDOW } from "../../datasets/chromatin-activity/windows.ts";
import { TELOMERE } from "./background.ts";
import type { PlantedElement } from "./elements.ts";
import type { SyntheticChromosome } from "./genome.ts";
import { BACKGROUND_CUTS } from "./signal.ts";

/** Called peak, as in narrowPeak files; p and q as -log10. */
export interface Peak {
  readonly chrom: string;
  readonly start: number;
  readonly end: number;
  readonly summit: number;
  /** Ratio of observed to expected background cuts in 500 bases around the summit. */
  readonly fold: number;
  readonly p: number;
  readonly q: number;
  readonly element: PlantedElement;
}

const PEAK_WINDOW = 500;
/** Smallest -log10 q of the relaxed and of the high-confidence set. */
const RELAXED_Q = 2;
const CONFIDENT_Q = 10;

/** Width and stride of candidate non-peaks: Task 4's window. */
const BIN = ACTIVITY_WINDOW;
const BIN_STRIDE = 1000;
/** Largest difference in GC content between a peak's window and its non-peaks, and their number. */
const GC_TOLERANCE = 0.02;
const NON_PEAKS_PER_PEAK = 2;

/**
 * Calls the peaks of one cell line: elements with significantly more cuts than the background. Summits
 * deviate from the true centre by a few bases.
 *
 * @param cuts  cuts per base of each chromosome
 * @returns     the relaxed set, in the chromosomes' order, sorted by start
 */
export function callPeaks(
  rng: Pcg64,
  chromosomes: readonly SyntheticChromosome[],
  cuts: readonly Uint16Array[],
): Peak[] {
  const expected = PEAK_WINDOW * BACKGROUND_CUTS;
  const seen = chromosomes.flatMap(({ elements }, chrom) =>
    elements.map((element) => {
      const summit = element.centre + Math.round(normal(rng, 0, 8));
      let count = 0;
      for (let i = summit - PEAK_WINDOW / 2; i < summit + PEAK_WINDOW / 2; i++) count += cuts[chrom][i];
      return { element, summit, fold: count / expected, p: poissonNegLog10P(count, expected) };
    }),
  );
  const q = negLog10QValues(seen.map(({ p }) => p));
  return seen
    .map(({ element, summit, fold, p }, i) => {
      const start = Math.min(element.start, summit);
      const end = Math.max(element.end, summit + 1);
      return { chrom: element.chrom, start, end, summit, fold, p, q: q[i], element };
    })
    .filter((peak) => peak.q >= RELAXED_Q);
}

/** The high-confidence subset of peaks, a substitute for reproducible (IDR) peaks. */
export const confidentPeaks = (peaks: readonly Peak[]): Peak[] => peaks.filter(({ q }) => q >= CONFIDENT_Q);

/**
 * Non-peaks: windows of 2,114 bases at a stride of 1,000 without peak or N, up to two per peak with similar
 * GC content.
 *
 * @returns  window starts, in the chromosomes' order, ascending
 */
export function matchedNonPeaks(
  rng: Pcg64,
  chromosomes: readonly SyntheticChromosome[],
  peaks: readonly Peak[],
): { readonly chrom: string; readonly start: number }[] {
  const gcBefore = new Map(chromosomes.map(({ name, codes }) => [name, cumulativeGc(codes)]));
  const gcOf = (chrom: string, start: number) => {
    const before = valueAt(gcBefore, chrom);
    return (before[start + BIN] - before[start]) / BIN;
  };
  const bins = chromosomes.flatMap(({ name, codes }) => {
    const here = peaks.filter(({ chrom }) => chrom === name);
    const free: { chrom: string; start: number; gc: number }[] = [];
    for (let start = 0; start + BIN <= codes.length - TELOMERE; start += BIN_STRIDE) {
      if (start < TELOMERE || here.some((peak) => peak.start < start + BIN && peak.end > start)) continue;
      free.push({ chrom: name, start, gc: gcOf(name, start) });
    }
    return free;
  });
  const left = bins.slice();
  shuffle(rng, left);
  const taken = new Set<(typeof bins)[number]>();
  for (let round = 0; round < NON_PEAKS_PER_PEAK; round++) {
    for (const { chrom, summit } of peaks) {
      const gc = gcOf(chrom, summit - BIN / 2);
      const match = left.findIndex((bin) => Math.abs(bin.gc - gc) <= GC_TOLERANCE);
      if (match >= 0) taken.add(left.splice(match, 1)[0]);
    }
  }
  return bins.filter((bin) => taken.has(bin)).map(({ chrom, start }) => ({ chrom, start }));
}

/** Number of G and C before each position, [length + 1]. */
function cumulativeGc(codes: Uint8Array): Int32Array {
  const before = new Int32Array(codes.length + 1);
  for (let i = 0; i < codes.length; i++) {
    before[i + 1] = before[i] + (codes[i] === 1 || codes[i] === 2 ? 1 : 0);
  }
  return before;
}

/**
 * -log10 P(X >= count) of a Poisson variable. The sum starts from the logarithm of the tail's first term, so
 * it does not underflow. 0 for a count of 0.
 */
export function poissonNegLog10P(count: number, mean: number): number {
  if (count === 0) return 0;
  let logTerm = -mean;
  for (let k = 1; k <= count; k++) logTerm += Math.log(mean / k);
  let sum = 1;
  let term = 1;
  for (let k = count + 1; term > 1e-17 * sum || k <= mean; k++) {
    term *= mean / k;
    sum += term;
  }
  return Math.max(0, -(logTerm + Math.log(sum)) / Math.LN10);
}

/** -log10 of Benjamini–Hochberg q-values from -log10 p-values, in the same order. */
export function negLog10QValues(logPs: readonly number[]): number[] {
  const order = logPs.map((_, i) => i).sort((a, b) => logPs[a] - logPs[b] || a - b); // least significant first
  const adjusted = new Array<number>(logPs.length);
  let highest = 0;
  order.forEach((row, i) => {
    const rank = logPs.length - i; // 1 for the most significant
    highest = Math.max(highest, logPs[row] - Math.log10(logPs.length / rank));
    adjusted[row] = highest;
  });
  return adjusted;
}
