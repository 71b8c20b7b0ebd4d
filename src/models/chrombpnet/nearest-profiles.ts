import type { Region } from "./training/windows.ts";

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
      const isNearer = distance < distances[at]! || (distance === distances[at] && at < centre);
      if (!isNearer) continue;
      reads[at] = profile[i]!;
      distances[at] = distance;
    }
  }

  /** Reads per base of the chromosomes that have a window, [length]; 0 where none reaches. */
  signal(): ReadonlyMap<string, Float32Array> {
    return this.reads;
  }
}
