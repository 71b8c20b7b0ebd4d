import fc from "fast-check";
import { expect, test } from "vitest";
import { IntervalIndex } from "../../../src/dna/genome/interval-index.ts";

const interval = fc
  .record({
    chrom: fc.constantFrom("chr1", "chr2"),
    start: fc.nat(60),
    length: fc.integer({ min: 1, max: 30 }),
  })
  .map(({ chrom, start, length }) => ({ chrom, start, end: start + length }));

test("finds the longest overlap, then the shortest interval, then the first", () => {
  fc.assert(
    fc.property(fc.array(interval, { maxLength: 20 }), interval, (intervals, query) => {
      const candidates = intervals
        .map((one, i) => ({
          i,
          shared:
            one.chrom === query.chrom ? Math.min(one.end, query.end) - Math.max(one.start, query.start) : 0,
          length: one.end - one.start,
        }))
        .filter(({ shared }) => shared > 0)
        .sort((a, b) => b.shared - a.shared || a.length - b.length || a.i - b.i);
      expect(new IntervalIndex(intervals).bestOverlap(query)).toBe(candidates[0]?.i);
    }),
  );
});
