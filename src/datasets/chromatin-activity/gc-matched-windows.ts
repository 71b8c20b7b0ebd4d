import { Pcg64 } from "../../base/pcg64.ts";
import type { Genome } from "../../dna/genome/genome.ts";
import type { Interval } from "../../dna/genome/interval.ts";
import { ACTIVITY_WINDOW } from "./windows.ts";

/** Bins that may be non-peaks begin at every multiple of this. */
const STRIDE = 1000;
/** Peaks and excluded regions are widened by half a window on either side. */
const FLANK = ACTIVITY_WINDOW / 2;
/** GC content is told in hundredths: 0 to 100. */
const HUNDREDTHS = 101;

/** Chromosomes within which peaks are matched, and how many windows each peak gets. */
export interface MatchingFold {
  readonly chromosomes: readonly string[];
  readonly perPeak: number;
}

export interface GcMatchingOptions {
  readonly genome: Genome;
  /** Windows of 2,114 bases around the peaks' summits, in the order in which they are matched. */
  readonly peaks: readonly Interval[];
  /** Where no window may come near: peaks from end to end, regions of a blacklist. */
  readonly excluded: readonly Interval[];
  readonly folds: readonly MatchingFold[];
  readonly seed: number;
  /** Told before the letters of a chromosome are read. */
  readonly onChromosome?: (name: string) => void;
  readonly signal?: AbortSignal;
}

export interface GcMatchedWindows {
  /** In the order of the peaks that they were found for. */
  readonly windows: readonly Interval[];
  /** Peaks that are in no fold, or whose window leaves the chromosome: nothing is matched to them. */
  readonly passedOver: number;
  /** Windows that could not be found, since every bin within reach was taken. */
  readonly missing: number;
}

/**
 * Windows without a peak, with the GC contents of the peaks: the recipe of ChromBPNet's pipeline.
 *
 * The genome is cut into bins of 2,114 bases at every 1,000th; those that come within 1,057 bases of a peak or of an excluded
 * region are left out. GC content is (G + C) / 2,114 to two decimals, unknown letters counting as neither. For each peak in turn
 * a bin of its GC content is drawn, without replacement, among those of its fold; where none is left, the GC content moves up or
 * down by 0.01 at random until there is one.
 *
 * Equal inputs and seeds give equal windows (PCG64; the pipeline's own numbers come from an unseeded generator). Letters of one
 * chromosome are in memory at a time; the human genome takes about 3 million bins, 12 bytes each.
 *
 * @see Pampari et al. 2024, doi:10.1101/2024.12.25.630221
 */
export async function gcMatchedWindows(options: GcMatchingOptions): Promise<GcMatchedWindows> {
  const { genome, peaks, folds, seed } = options;
  const foldOf = new Map(folds.flatMap((fold) => fold.chromosomes.map((chrom) => [chrom, fold] as const)));
  const pools = new Map(folds.map((fold) => [fold, new Pool()]));
  const gcOfPeak = new Int16Array(peaks.length).fill(-1);
  for (const [chrom, length] of genome.chromosomes) {
    const fold = foldOf.get(chrom);
    if (fold === undefined) continue;
    options.signal?.throwIfAborted();
    options.onChromosome?.(chrom);
    const letters = await genome.chromosome(chrom);
    peaks.forEach((peak, i) => {
      if (peak.chrom === chrom && peak.start >= 0 && peak.end <= length) {
        gcOfPeak[i] = gcHundredths(letters, peak.start);
      }
    });
    const barriers = barriersOn(chrom, options.excluded);
    for (const start of freeBins(length, barriers)) {
      pools.get(fold)!.add(gcHundredths(letters, start), { chrom, start, end: start + ACTIVITY_WINDOW });
    }
  }
  const rng = new Pcg64(seed);
  const windows: Interval[] = [];
  let passedOver = 0;
  let missing = 0;
  for (const [i, { chrom }] of peaks.entries()) {
    const fold = foldOf.get(chrom);
    if (fold === undefined || gcOfPeak[i] === -1) {
      passedOver++;
      continue;
    }
    for (let n = 0; n < fold.perPeak; n++) {
      const window = pools.get(fold)!.take(gcOfPeak[i], rng);
      if (window === undefined) missing++;
      else windows.push(window);
    }
  }
  return { windows, passedOver, missing };
}

/** Hundredths of G and C in the window that begins at `start`. */
function gcHundredths(letters: Uint8Array, start: number): number {
  let strong = 0;
  for (let i = start; i < start + ACTIVITY_WINDOW; i++) {
    if (letters[i] === G || letters[i] === C) strong++;
  }
  return Math.round((100 * strong) / ACTIVITY_WINDOW);
}

const [C, G] = [67, 71];

/** Widened excluded regions of a chromosome, merged, ascending. */
function barriersOn(chrom: string, excluded: readonly Interval[]): readonly Omit<Interval, "chrom">[] {
  const widened = excluded
    .filter((region) => region.chrom === chrom)
    .map(({ start, end }) => ({ start: start - FLANK, end: end + FLANK }))
    .sort((a, b) => a.start - b.start);
  const merged: { start: number; end: number }[] = [];
  for (const region of widened) {
    const last = merged.at(-1);
    if (last !== undefined && region.start <= last.end) last.end = Math.max(last.end, region.end);
    else merged.push({ ...region });
  }
  return merged;
}

/** Starts of the bins that touch no barrier. As in the pipeline, a bin that ends with the chromosome itself is none. */
function* freeBins(length: number, barriers: readonly Omit<Interval, "chrom">[]): Generator<number> {
  let next = 0;
  for (let start = 0; start + ACTIVITY_WINDOW < length; start += STRIDE) {
    while (next < barriers.length && barriers[next].end <= start) next++;
    const barrier = barriers[next];
    if (barrier === undefined || barrier.start >= start + ACTIVITY_WINDOW) yield start;
  }
}

/** Bins of a fold by GC content, drawn without replacement. */
class Pool {
  private readonly bins: Interval[][] = Array.from({ length: HUNDREDTHS }, () => []);
  /** Bins whose GC content a walk can come to: all but those of 0 and 1. */
  private within = 0;

  add(gc: number, bin: Interval): void {
    this.bins[gc].push(bin);
    if (isWithin(gc)) this.within++;
  }

  take(gc: number, rng: Pcg64): Interval | undefined {
    let at = gc;
    while (this.bins[at].length === 0) {
      if (this.within === 0) return undefined;
      at += rng.nextFloat64() > 0.5 ? 1 : -1;
      if (at <= 0) at++;
      else if (at >= HUNDREDTHS - 1) at--;
    }
    const bins = this.bins[at];
    const chosen = Math.floor(rng.nextFloat64() * bins.length);
    const bin = bins[chosen];
    bins[chosen] = bins.at(-1)!;
    bins.pop();
    if (isWithin(at)) this.within--;
    return bin;
  }
}

const isWithin = (gc: number) => gc > 0 && gc < HUNDREDTHS - 1;
