import { FormatError } from "../../base/errors.ts";
import { valueAt } from "../../base/record.ts";
import { parseWholeNumber } from "../../base/table.ts";
import { type BedOptions, NARROW_PEAK_COLUMNS, readBed } from "../../dna/genome/bed.ts";
import type { Signal } from "../../dna/genome/bigwig.ts";
import type { Genome } from "../../dna/genome/genome.ts";
import type { Interval } from "../../dna/genome/interval.ts";
import { windowCodes } from "../../dna/sequence/encoding.ts";

/** Access to the number of reads at each base of a genome. */
export type BaseValues = Pick<Signal, "values">;

/** A genomic region, given by its centre. */
export interface Region {
  readonly chrom: string;
  /** 0-based; windows are [centre − width / 2, centre + width / 2). */
  readonly centre: number;
}

/** Sequence and reads of one training region, with margins for jitter. */
export interface RegionWindow {
  /** Base codes, [inputLength + 2 · jitter]. */
  readonly codes: Uint8Array;
  /** Reads at each base, [outputLength + 2 · jitter]. */
  readonly counts: Uint16Array | Float32Array;
}

export const windowAround = ({ chrom, centre }: Region, width: number): Interval => ({
  chrom,
  start: centre - width / 2,
  end: centre + width / 2,
});

/** Regions whose window of `width` bases is inside the chromosome. */
export function insideGenome<R extends Region>(
  regions: readonly R[],
  genome: Genome,
  width: number,
): readonly R[] {
  return regions.filter((region) => {
    const { start, end } = windowAround(region, width);
    return start >= 0 && end <= (genome.chromosomes.get(region.chrom) ?? 0);
  });
}

/** Reads the windows of regions into memory: a byte per base of sequence, two or four per base of signal. */
export async function readWindows(
  regions: readonly Region[],
  { genome, signal }: { readonly genome: Genome; readonly signal: BaseValues },
  { inputLength, outputLength, jitter }: Readonly<Record<"inputLength" | "outputLength" | "jitter", number>>,
  abort?: AbortSignal,
): Promise<readonly RegionWindow[]> {
  const windows: RegionWindow[] = new Array(regions.length);
  // In genomic order: the genome caches the last chromosome, and the signal reads neighbours together.
  const order = [...regions.keys()].sort((a, b) => byPosition(regions[a], regions[b]));
  for (let from = 0; from < order.length; from += READ_AT_ONCE) {
    abort?.throwIfAborted();
    const some = order.slice(from, from + READ_AT_ONCE);
    const values = await signal.values(some.map((i) => windowAround(regions[i], outputLength + 2 * jitter)));
    for (const [at, i] of some.entries()) {
      const { chrom, start, end } = windowAround(regions[i], inputLength + 2 * jitter);
      const codes = windowCodes(await genome.chromosome(chrom), start, end);
      windows[i] = { codes, counts: compact(values[at]) };
    }
  }
  return windows;
}

/** Regions read at a time, before their values are compacted. */
const READ_AT_ONCE = 4096;

const byPosition = (a: Region, b: Region) =>
  a.chrom < b.chrom ? -1 : a.chrom > b.chrom ? 1 : a.centre - b.centre;

/** Stores integers in half the bytes. */
function compact(values: Float32Array): Uint16Array | Float32Array {
  return values.every((value) => Number.isInteger(value) && value >= 0 && value <= 65535)
    ? Uint16Array.from(values)
    : values;
}

/** Sum of reads over the central `width` bases. */
export function readsInside({ counts }: RegionWindow, width: number): number {
  const cut = (counts.length - width) / 2;
  let sum = 0;
  for (let i = cut; i < cut + width; i++) sum += counts[i];
  return sum;
}

/** Crops a window to its central `width` bases of sequence, and its counts by as much. */
export function trimmed({ codes, counts }: RegionWindow, width: number): RegionWindow {
  const cut = (codes.length - width) / 2;
  return {
    codes: codes.subarray(cut, codes.length - cut),
    counts: counts.subarray(cut, counts.length - cut),
  };
}

/** Column of narrowPeak files with the summit's distance from the start, 0-based. */
const SUMMIT = 9;

/**
 * Regions of a BED file, centred at the summit for files with exactly the ten narrowPeak columns, such as the
 * original's peaks and non-peaks, and at the midpoint otherwise.
 *
 * @throws {FormatError} as `readBed`, when a summit is invalid, or without regions
 */
export async function readRegions(
  path: string,
  genome: NonNullable<BedOptions["genome"]>,
): Promise<readonly Region[]> {
  const regions: Region[] = [];
  for await (const { chrom, start, end, columns, line } of readBed(path, { genome })) {
    const place = { file: path, line };
    const summit =
      columns.length === NARROW_PEAK_COLUMNS
        ? parseWholeNumber(columns[SUMMIT], "summit", place, -1, end - start)
        : -1;
    regions.push({ chrom, centre: start + (summit < 0 ? Math.floor((end - start) / 2) : summit) });
  }
  if (regions.length === 0) throw new FormatError({ file: path }, "the file has no regions");
  return regions;
}

/** Distance recorded for bases outside all windows. */
const FAR = 0xffff;

/**
 * Predicted reads of each base from windows that may overlap. A base has the prediction of the window whose
 * centre is nearest, and on a tie of the window that comes later on the chromosome. The order in which
 * windows are added does not matter.
 */
export class NearestProfiles {
  private readonly reads = new Map<string, Float32Array>();
  private readonly distances = new Map<string, Uint16Array>();

  constructor(private readonly chromosomes: ReadonlyMap<string, number>) {}

  /** @param profile  reads of the bases around the region's centre, half of them before it */
  add({ chrom, centre }: Region, profile: ArrayLike<number>): void {
    const reads = this.reads.get(chrom) ?? new Float32Array(valueAt(this.chromosomes, chrom));
    const distances = this.distances.get(chrom) ?? new Uint16Array(reads.length).fill(FAR);
    this.reads.set(chrom, reads);
    this.distances.set(chrom, distances);
    const start = centre - profile.length / 2;
    for (let i = Math.max(0, -start); i < profile.length && start + i < reads.length; i++) {
      const at = start + i;
      const distance = Math.min(Math.abs(at - centre), FAR - 1);
      // on a tie, the later centre lies after the base
      const isNearer = distance < distances[at] || (distance === distances[at] && at < centre);
      if (!isNearer) continue;
      reads[at] = profile[i];
      distances[at] = distance;
    }
  }

  /** Reads per base of the chromosomes with windows, [length]; 0 outside of windows. */
  signal(): ReadonlyMap<string, Float32Array> {
    return this.reads;
  }
}
