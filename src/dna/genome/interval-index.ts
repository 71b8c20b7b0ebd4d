import { lowerBound } from "../../base/binary-search.ts";
import type { Interval } from "./interval.ts";

/** Intervals of one chromosome, sorted by start. */
interface SortedIntervals {
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  /** Position of each interval in the order given. */
  readonly order: Uint32Array;
  /** Largest end of an interval up to this one. */
  readonly furthest: Float64Array;
}

/** Intervals in memory, for finding those that overlap another interval. */
export class IntervalIndex {
  private readonly byChromosome = new Map<string, SortedIntervals>();

  /** @param intervals  in any order; they may overlap each other */
  constructor(intervals: readonly Interval[]) {
    const numbers = new Map<string, number[]>();
    intervals.forEach(({ chrom }, i) => {
      const same = numbers.get(chrom);
      if (same === undefined) numbers.set(chrom, [i]);
      else same.push(i);
    });
    for (const [chrom, found] of numbers) {
      const order = Uint32Array.from(found).sort((a, b) => intervals[a].start - intervals[b].start || a - b);
      const ends = Float64Array.from(order, (i) => intervals[i].end);
      const furthest = ends.slice();
      for (let i = 1; i < furthest.length; i++) furthest[i] = Math.max(furthest[i], furthest[i - 1]);
      const starts = Float64Array.from(order, (i) => intervals[i].start);
      this.byChromosome.set(chrom, { starts, ends, order, furthest });
    }
  }

  /** Names of chromosomes with intervals, in order of first appearance. */
  get chromosomes(): readonly string[] {
    return [...this.byChromosome.keys()];
  }

  /**
   * The interval with the longest overlap; among equals the shortest, then the first in the order given.
   *
   * @returns 0-based number of the interval in the order given; undefined without an overlap of one base
   */
  bestOverlap({ chrom, start, end }: Interval): number | undefined {
    const sorted = this.byChromosome.get(chrom);
    if (sorted === undefined) return undefined;
    const { starts, ends, order, furthest } = sorted;
    let best: { readonly shared: number; readonly length: number; readonly number: number } | undefined;
    for (let i = lowerBound(starts, end) - 1; i >= 0 && furthest[i] > start; i--) {
      const shared = Math.min(ends[i], end) - Math.max(starts[i], start);
      if (shared <= 0) continue;
      const found = { shared, length: ends[i] - starts[i], number: order[i] };
      const difference =
        best === undefined
          ? 1
          : found.shared - best.shared || best.length - found.length || best.number - found.number;
      if (difference > 0) best = found;
    }
    return best?.number;
  }
}
