import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { addKmerCounts, kmerCounts } from "../../../src/dna/sequence/kmers.ts";
import { codesOf } from "../../../src/dna/sequence/letters.ts";
import { sequences } from "./random-sequences.ts";

test("overlapping words are counted", () => {
  expect(Object.fromEntries(kmerCounts("AAACA", 2))).toEqual({ AA: 2, AC: 1, CA: 1 });
  expect(kmerCounts("AC", 3).size).toBe(0);
});

test("the table holds the words without N, at the word's number to the base 4", () => {
  const table = addKmerCounts(codesOf("AACNTT"), 2);
  expect([table[0], table[1], table[15], table.reduce((a, b) => a + b)]).toEqual([1, 1, 1, 3]);
  expect(addKmerCounts(codesOf("AAC"), 2, table)[1]).toBe(2);
});

test("table and letters agree", () => {
  fc.assert(
    fc.property(sequences("ACGTN"), fc.integer({ min: 1, max: 5 }), (letters, k) => {
      const table = addKmerCounts(codesOf(letters), k);
      const counts = kmerCounts(letters, k);
      for (let word = 0; word < table.length; word++) {
        const text = word
          .toString(4)
          .padStart(k, "0")
          .replaceAll(/./g, (digit) => "ACGT"[Number(digit)]!);
        expect(table[word]).toBe(counts.get(text) ?? 0);
      }
    }),
    { numRuns: 30 },
  );
});

test("a word length that cannot be is refused", () => {
  expect(() => kmerCounts("A", 0)).toThrow(InputError);
  expect(() => kmerCounts("A", 1.5)).toThrow("a whole number of 1 or more");
  expect(() => addKmerCounts(codesOf("A"), 13)).toThrow("a whole number from 1 to 12");
});
