import type { Signal } from "../../../dna/genome/bigwig.ts";
import type { Genome } from "../../../dna/genome/genome.ts";
import type { Interval } from "../../../dna/genome/interval.ts";
import { windowCodes } from "../../../dna/sequence/letters.ts";

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
  const order = [...regions.keys()].sort((a, b) => byPlace(regions[a]!, regions[b]!));
  for (let from = 0; from < order.length; from += READ_AT_ONCE) {
    abort?.throwIfAborted();
    const some = order.slice(from, from + READ_AT_ONCE);
    const values = await signal.values(some.map((i) => around(regions[i]!, outputLength + 2 * jitter)));
    for (const [at, i] of some.entries()) {
      const { chrom, start, end } = around(regions[i]!, inputLength + 2 * jitter);
      const codes = windowCodes(await genome.chromosome(chrom), start, end);
      windows[i] = { codes, counts: compact(values[at]!) };
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
  for (let i = cut; i < cut + width; i++) sum += counts[i]!;
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
