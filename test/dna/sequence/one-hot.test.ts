import fc from "fast-check";
import { expect, test } from "vitest";
import { codesOf, oneHot, oneHotOfCodes } from "../../../src/dna/sequence/encoding.ts";
import { reverseComplement } from "../../../src/dna/sequence/reverse-complement.ts";
import { sequences } from "./random-sequences.ts";

test("one row of four channels per letter; N is a row of zeros", () => {
  expect([...oneHot("AcGTN")]).toEqual([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
  expect(oneHot("")).toHaveLength(0);
});

test("the reverse complement turns both axes round", () => {
  fc.assert(
    fc.property(sequences("ACGTN"), (letters) => {
      expect(oneHot(reverseComplement(letters))).toEqual(oneHot(letters).reverse());
    }),
  );
});

test("a sequence is written at its place in a batch, over what was there", () => {
  const batch = new Float32Array(12).fill(7);
  oneHotOfCodes(codesOf("T"), batch, 4);
  expect([...batch]).toEqual([7, 7, 7, 7, 0, 0, 0, 1, 7, 7, 7, 7]);
});
