import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { gcFraction, kmerCounts } from "../../../src/dna/sequence/composition.ts";
import { sequences } from "./random-sequences.ts";

test.each([
  ["GC", 1],
  ["ACGT", 0.5],
  ["ATgNNNN", 1 / 3],
  ["AT", 0],
])("GC fraction of %s", (letters, expected) => {
  expect(gcFraction(letters)).toBe(expected);
});

test("GC fraction without bases is NaN", () => {
  expect(gcFraction("")).toBeNaN();
  expect(gcFraction("NNN")).toBeNaN();
});

test("counts overlapping k-mers", () => {
  expect(Object.fromEntries(kmerCounts("AAACA", 2))).toEqual({ AA: 2, AC: 1, CA: 1 });
  expect(Object.fromEntries(kmerCounts("aAN", 1))).toEqual({ a: 1, A: 1, N: 1 });
  expect(kmerCounts("AC", 3).size).toBe(0);
});

test("counts sum to the number of positions, and each k-mer occurs that often", () => {
  fc.assert(
    fc.property(sequences("ACGTN"), fc.integer({ min: 1, max: 5 }), (letters, k) => {
      const counts = kmerCounts(letters, k);
      const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
      expect(total).toBe(Math.max(0, letters.length - k + 1));
      for (const [word, count] of counts) {
        // A lookahead also matches overlapping positions.
        expect(letters.match(new RegExp(`(?=${word})`, "g"))).toHaveLength(count);
      }
    }),
  );
});

test("refuses an invalid k", () => {
  expect(() => kmerCounts("A", 0)).toThrow(InputError);
  expect(() => kmerCounts("A", 1.5)).toThrow("expected a positive integer");
});
