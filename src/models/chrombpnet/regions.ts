import { FormatError } from "../../base/errors.ts";
import { parseWholeNumber } from "../../base/table.ts";
import { type BedOptions, NARROW_PEAK_COLUMNS, readBed } from "../../dna/genome/bed.ts";
import type { Signal } from "../../dna/genome/bigwig.ts";
import type { Genome } from "../../dna/genome/genome.ts";
import type { Interval } from "../../dna/genome/interval.ts";
import { windowCodes } from "../../dna/sequence/encoding.ts";

/** Where reads were counted. */
export type BaseValues = Pick<Signal, "values">;

/** A place of a genome: what lies around it is read and predicted. */
export interface Region {
  readonly chrom: string;
  /** 0-based; windows are [centre − width / 2, centre + width / 2). */
  readonly centre: number;
}

/** What a training needs of one region, with room to move the window. */
export interface RegionWindow {
  /** Base codes, [inputLength + 2 · jitter]. */
  readonly codes: Uint8Array;
  /** Reads at each base, [outputLength + 2 · jitter]. */
  readonly counts: Uint16Array | Float32Array;
}

export const around = ({ chrom, centre }: Region, width: number): Interval => ({
  chrom,
  start: centre - width / 2,
  end: centre + width / 2,
});

/** Regions whose window of `width` bases lies on the chromosome. */
export function insideGenome<R extends Region>(
  regions: readonly R[],
  genome: Genome,
  width: number,
): readonly R[] {
  return regions.filter((region) => {
    const { start, end } = around(region, width);
    return start >= 0 && end <= (genome.chromosomes.get(region.chrom) ?? 0);
  });
}

/**
 * Reads the windows of regions into memory: a byte per base of sequence, and two or four per base of signal.
 */
export async function readWindows(
  regions: readonly Region[],
  { genome, signal }: { readonly genome: Genome; readonly signal: BaseValues },
  { inputLength, outputLength, jitter }: Readonly<Record<"inputLength" | "outputLength" | "jitter", number>>,
  abort?: AbortSignal,
): Promise<readonly RegionWindow[]> {
  const windows: RegionWindow[] = new Array(regions.length);
  // In the order of place: a genome keeps the chromosome it was asked for last, a signal reads neighbours together.
  const order = [...regions.keys()].sort((a, b) => byPlace(regions[a], regions[b]));
  for (let from = 0; from < order.length; from += READ_AT_ONCE) {
    abort?.throwIfAborted();
    const some = order.slice(from, from + READ_AT_ONCE);
    const values = await signal.values(some.map((i) => around(regions[i], outputLength + 2 * jitter)));
    for (const [at, i] of some.entries()) {
      const { chrom, start, end } = around(regions[i], inputLength + 2 * jitter);
      const codes = windowCodes(await genome.chromosome(chrom), start, end);
      windows[i] = { codes, counts: compact(values[at]) };
    }
  }
  return windows;
}

/** Regions whose numbers are in memory before they are made small. */
const READ_AT_ONCE = 4096;

const byPlace = (a: Region, b: Region) =>
  a.chrom < b.chrom ? -1 : a.chrom > b.chrom ? 1 : a.centre - b.centre;

/** Whole numbers in half the bytes. */
function compact(values: Float32Array): Uint16Array | Float32Array {
  return values.every((value) => Number.isInteger(value) && value >= 0 && value <= 65535)
    ? Uint16Array.from(values)
    : values;
}

/** Σ reads of the window in the middle, `width` bases. */
export function readsInside({ counts }: RegionWindow, width: number): number {
  const cut = (counts.length - width) / 2;
  let sum = 0;
  for (let i = cut; i < cut + width; i++) sum += counts[i];
  return sum;
}

/** The middle of a window, `width` bases of sequence. */
export function trimmed({ codes, counts }: RegionWindow, width: number): RegionWindow {
  const cut = (codes.length - width) / 2;
  return {
    codes: codes.subarray(cut, codes.length - cut),
    counts: counts.subarray(cut, counts.length - cut),
  };
}

/** Column of narrowPeak files that has the summit's distance from the start, 0-based. */
const SUMMIT = 9;

/**
 * Regions of a BED file: around the summit where there are just the ten columns of narrowPeak, as in the original's files of
 * peaks and non-peaks; else around the middle.
 *
 * @throws {FormatError} as `readBed`, and when a summit is none, or there is no region
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
  if (regions.length === 0) throw new FormatError({ file: path }, "there is no region in the file");
  return regions;
}

/** Of a base that no window has reached. */
const FAR = 0xffff;

/**
 * Predicted reads of each base, from windows that may overlap: a base has the prediction of the window whose centre is nearest,
 * of two that are as near the later one on the chromosome. The order in which they are added does not matter.
 */
export class NearestProfiles {
  private readonly reads = new Map<string, Float32Array>();
  private readonly distances = new Map<string, Uint16Array>();

  constructor(private readonly chromosomes: ReadonlyMap<string, number>) {}

  /** @param profile  reads of the bases around the region's centre, a half of them before it */
  add({ chrom, centre }: Region, profile: ArrayLike<number>): void {
    const reads = this.reads.get(chrom) ?? new Float32Array(this.chromosomes.get(chrom)!);
    const distances = this.distances.get(chrom) ?? new Uint16Array(reads.length).fill(FAR);
    this.reads.set(chrom, reads);
    this.distances.set(chrom, distances);
    const start = centre - profile.length / 2;
    for (let i = Math.max(0, -start); i < profile.length && start + i < reads.length; i++) {
      const at = start + i;
      const distance = Math.min(Math.abs(at - centre), FAR - 1);
      // Of two centres as near, on either side of the base, the later one is the one behind it.
      const isNearer = distance < distances[at] || (distance === distances[at] && at < centre);
      if (!isNearer) continue;
      reads[at] = profile[i];
      distances[at] = distance;
    }
  }

  /** Reads per base of the chromosomes that have a window, [length]; 0 where none reaches. */
  signal(): ReadonlyMap<string, Float32Array> {
    return this.reads;
  }
}
