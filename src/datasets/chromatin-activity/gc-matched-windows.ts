import { Pcg64 } from "../../base/pcg64.ts";
import type { Genome } from "../../dna/genome/genome.ts";
import type { Interval } from "../../dna/genome/interval.ts";
import { ACTIVITY_WINDOW } from "./windows.ts";

/** Distance between the starts of candidate bins, in bases. */
const STRIDE = 1000;
/** Excluded regions are extended by half a window on either side. */
const FLANK = ACTIVITY_WINDOW / 2;
/** Number of GC contents in percent: 0 to 100. */
const PERCENTAGES = 101;

/** Chromosomes within which peaks are matched, and the number of windows per peak. */
export interface MatchingFold {
  readonly chromosomes: readonly string[];
  readonly perPeak: number;
}

export interface GcMatchingOptions {
  readonly genome: Genome;
  /** Windows of 2,114 bases around the peaks' summits, in matching order. */
  readonly peaks: readonly Interval[];
  /** Regions that windows must not come near: whole peaks, blacklisted regions. */
  readonly excluded: readonly Interval[];
  readonly folds: readonly MatchingFold[];
  readonly seed: number;
  /** Called before a chromosome's sequence is read. */
  readonly onChromosome?: (name: string) => void;
  readonly signal?: AbortSignal;
}

export interface GcMatchedWindows {
  /** In the order of their peaks. */
  readonly windows: readonly Interval[];
  /** Number of peaks without a match because they are in no fold or their window leaves the chromosome. */
  readonly skipped: number;
  /** Number of windows not found because all bins were used. */
  readonly missing: number;
}

/**
 * Windows without a peak, matched to peaks by GC content as in ChromBPNet's pipeline.
 *
 * Candidates are bins of 2,114 bases every 1,000 bases, except those within 1,057 bases of an excluded
 * region. GC content is (G + C) / 2,114, rounded to two decimals; N counts as neither. For each peak, a bin
 * of the same GC content is drawn from its fold without replacement. If none is left, the GC content takes
 * random steps of ±0.01 until there is one.
 *
 * Equal inputs and seeds give equal windows (PCG64; the pipeline's generator is unseeded). One chromosome is
 * in memory at a time; the human genome has about 3 million bins of 12 bytes each.
 *
 * @see Pampari et al. 2024, doi:10.1101/2024.12.25.630221
 */
export async function gcMatchedWindows(options: GcMatchingOptions): Promise<GcMatchedWindows> {
  const { genome, peaks, folds, seed } = options;
  const foldOf = new Map(
    folds.flatMap(({ chromosomes, perPeak }) => {
      const fold = { perPeak, pool: new Pool() };
      return chromosomes.map((chrom) => [chrom, fold] as const);
    }),
  );
  // In percent; -1: not matched.
  const gcOfPeak = new Int16Array(peaks.length).fill(-1);
  for (const [chrom, length] of genome.chromosomes) {
    const fold = foldOf.get(chrom);
    if (fold === undefined) continue;
    options.signal?.throwIfAborted();
    options.onChromosome?.(chrom);
    const bases = await genome.chromosome(chrom);
    peaks.forEach((peak, i) => {
      if (peak.chrom === chrom && peak.start >= 0 && peak.end <= length) {
        gcOfPeak[i] = gcPercent(bases, peak.start);
      }
    });
    const excluded = excludedOn(chrom, options.excluded);
    for (const start of candidateBins(length, excluded)) {
      fold.pool.add(gcPercent(bases, start), { chrom, start, end: start + ACTIVITY_WINDOW });
    }
  }
  const rng = new Pcg64(seed);
  const windows: Interval[] = [];
  let skipped = 0;
  let missing = 0;
  for (const [i, { chrom }] of peaks.entries()) {
    const fold = foldOf.get(chrom);
    if (fold === undefined || gcOfPeak[i] === -1) {
      skipped++;
      continue;
    }
    for (let n = 0; n < fold.perPeak; n++) {
      const window = fold.pool.take(gcOfPeak[i], rng);
      if (window === undefined) missing++;
      else windows.push(window);
    }
  }
  return { windows, skipped, missing };
}

/** GC content, in percent, of the window that starts at `start`. */
function gcPercent(bases: Uint8Array, start: number): number {
  let strong = 0;
  for (let i = start; i < start + ACTIVITY_WINDOW; i++) {
    if (bases[i] === G || bases[i] === C) strong++;
  }
  return Math.round((100 * strong) / ACTIVITY_WINDOW);
}

const [C, G] = [67, 71];

/** A chromosome's excluded regions with their flanks, merged, ascending. */
function excludedOn(chrom: string, excluded: readonly Interval[]): readonly Omit<Interval, "chrom">[] {
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

/**
 * Starts of the bins that overlap no excluded region. As in the pipeline, a bin that ends with the chromosome
 * is not a candidate.
 */
function* candidateBins(length: number, excluded: readonly Omit<Interval, "chrom">[]): Generator<number> {
  let next = 0;
  for (let start = 0; start + ACTIVITY_WINDOW < length; start += STRIDE) {
    while (next < excluded.length && excluded[next].end <= start) next++;
    const region = excluded[next];
    if (region === undefined || region.start >= start + ACTIVITY_WINDOW) yield start;
  }
}

/** Bins of a fold by GC content, drawn without replacement. */
class Pool {
  private readonly bins: Interval[][] = Array.from({ length: PERCENTAGES }, () => []);
  /** Number of bins that the random walk can reach: GC content 1 % to 99 %. */
  private reachable = 0;

  add(gc: number, bin: Interval): void {
    this.bins[gc].push(bin);
    if (isReachable(gc)) this.reachable++;
  }

  take(gc: number, rng: Pcg64): Interval | undefined {
    let at = gc;
    while (this.bins[at].length === 0) {
      if (this.reachable === 0) return undefined;
      at += rng.nextFloat64() > 0.5 ? 1 : -1;
      if (at <= 0) at++;
      else if (at >= PERCENTAGES - 1) at--;
    }
    const bins = this.bins[at];
    const chosen = Math.floor(rng.nextFloat64() * bins.length);
    const bin = bins[chosen];
    bins[chosen] = bins[bins.length - 1];
    bins.pop();
    if (isReachable(at)) this.reachable--;
    return bin;
  }
}

const isReachable = (gc: number) => gc > 0 && gc < PERCENTAGES - 1;
