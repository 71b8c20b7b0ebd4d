import fc from "fast-check";
import { expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { seedOf } from "../../../src/base/random.ts";
import { kmerCounts } from "../../../src/dna/sequence/composition.ts";
import { codesOf, sequenceOf } from "../../../src/dna/sequence/encoding.ts";
import {
  dinucleotideShuffle,
  dinucleotideShuffleCodes,
  dinucleotideShuffleKeeps,
} from "../../../src/dna/sequence/shuffle.ts";
import { sequences } from "./random-sequences.ts";

test("equals DART-Eval's shuffle with NumPy 1.26", () => {
  const rng = new Pcg64(seedOf([0, "chr1", 181251, 181601]));
  expect(dinucleotideShuffle("ACGTTGCATGTCGCATGATGCATGAGAGCTACGATCGATTTACGGCTAACN", rng)).toBe(
    "AGATTTCATGATGCAAGACGTATTACGTGATCTGATGGCGCGCTACGCACA",
  );
});

test.each(["", "A", "AA", "GGGGGG", "ACACACAC"])(
  "does not change %j, which has a single order",
  (letters) => {
    expect(dinucleotideShuffle(letters, new Pcg64(1))).toBe(letters);
  },
);

test("reads N as A", () => {
  expect(dinucleotideShuffle("NNNNNNNN", new Pcg64(1))).toBe("AAAAAAAA");
  const codes = codesOf("NCGTNACN");
  dinucleotideShuffleCodes(codes, 0, codes.length, new Pcg64(1));
  expect(sequenceOf(codes)).not.toContain("N");
  expect([codes[0], codes[7]]).toEqual([0, 0]);
});

test("preserves base counts, dinucleotide counts and both ends", () => {
  fc.assert(
    fc.property(sequences("ACGT", { minLength: 1, maxLength: 3000 }), fc.nat(), (letters, seed) => {
      const shuffled = dinucleotideShuffle(letters, new Pcg64(seed));
      expect(kmerCounts(shuffled, 2)).toEqual(kmerCounts(letters, 2));
      expect(kmerCounts(shuffled, 1)).toEqual(kmerCounts(letters, 1));
      expect([shuffled.at(0), shuffled.at(-1)]).toEqual([letters.at(0), letters.at(-1)]);
    }),
  );
});

test("changes a long sequence, differently for each seed", () => {
  const letters = "ACGTTGCATGTCGCATGATGCATGAGAGCTACGATCGATTTACGGCTAAC".repeat(3);
  const orders = Array.from({ length: 50 }, (_, seed) => dinucleotideShuffle(letters, new Pcg64(seed)));
  expect(new Set([letters, ...orders]).size).toBe(51);
});

test("dinucleotideShuffleKeeps predicts an unchanged sequence", () => {
  let kept = 0;
  fc.assert(
    fc.property(sequences("ACGTN", { maxLength: 12 }), fc.nat(), (letters, seed) => {
      const same = dinucleotideShuffle(letters, new Pcg64(seed)) === letters.replaceAll("N", "A");
      const codes = codesOf(letters);
      expect(dinucleotideShuffleKeeps(codes, 0, codes.length, new Pcg64(seed))).toBe(same);
      expect(sequenceOf(codes)).toBe(letters);
      if (same && letters.length > 6) kept++;
    }),
    { numRuns: 2000, seed: 1 },
  );
  expect(kept).toBeGreaterThan(20);
});

test("shuffles the given range only", () => {
  const letters = "TTTTTACGTTGCATGTCGCATGATGCATGGGGGG";
  const codes = codesOf(letters);
  dinucleotideShuffleCodes(codes, 5, 28, new Pcg64(3));
  expect(sequenceOf(codes)).toBe(
    letters.slice(0, 5) + dinucleotideShuffle(letters.slice(5, 28), new Pcg64(3)) + letters.slice(28),
  );
  const before = codes.slice();
  dinucleotideShuffleCodes(codes, 7, 7, new Pcg64(3));
  expect(codes).toEqual(before);
});
