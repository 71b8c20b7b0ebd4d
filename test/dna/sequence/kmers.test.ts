import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { kmerCounts } from "../../../src/dna/sequence/composition.ts";
import { sequences } from "./random-sequences.ts";

test("overlapping words are counted", () => {
  expect(Object.fromEntries(kmerCounts("AAACA", 2))).toEqual({ AA: 2, AC: 1, CA: 1 });
  expect(Object.fromEntries(kmerCounts("aAN", 1))).toEqual({ a: 1, A: 1, N: 1 });
  expect(kmerCounts("AC", 3).size).toBe(0);
});

test("there are as many words as places for them, and each stands where it was counted", () => {
  fc.assert(
    fc.property(sequences("ACGTN"), fc.integer({ min: 1, max: 5 }), (letters, k) => {
      const counts = kmerCounts(letters, k);
      const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
      expect(total).toBe(Math.max(0, letters.length - k + 1));
      for (const [word, count] of counts) {
        // Looking ahead finds overlapping places too.
        expect(letters.match(new RegExp(`(?=${word})`, "g"))).toHaveLength(count);
      }
    }),
  );
});

test("a word length that cannot be is refused", () => {
  expect(() => kmerCounts("A", 0)).toThrow(InputError);
  expect(() => kmerCounts("A", 1.5)).toThrow("expected a positive integer");
});
