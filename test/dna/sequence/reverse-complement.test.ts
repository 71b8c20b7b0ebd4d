import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { codesOf, sequenceOf } from "../../../src/dna/sequence/encoding.ts";
import { reverseComplement, reverseComplementCodes } from "../../../src/dna/sequence/reverse-complement.ts";
import { IUPAC } from "../../iupac.ts";
import { sequences } from "./random-sequences.ts";

test("reverse complement of a sequence", () => {
  expect(reverseComplement("AACGTTTGN")).toBe("NCAAACGTT");
  expect(reverseComplement("")).toBe("");
});

test("complements ambiguity codes", () => {
  const sorted = (letters: string) => [...letters].sort().join("");
  for (const [letter, set] of Object.entries(IUPAC)) {
    expect(IUPAC[reverseComplement(letter)]).toBe(
      sorted(set.replaceAll(/./g, (base) => reverseComplement(base))),
    );
    expect(reverseComplement(letter.toLowerCase())).toBe(reverseComplement(letter).toLowerCase());
  }
});

test("is an involution, and agrees with the version for codes", () => {
  fc.assert(
    fc.property(sequences("ACGTN"), (letters) => {
      const complement = reverseComplement(letters);
      expect(reverseComplement(complement)).toBe(letters);
      expect(sequenceOf(reverseComplementCodes(codesOf(letters)))).toBe(complement);
    }),
  );
});

test("names an invalid character with its position", () => {
  expect(() => reverseComplement("ACXG")).toThrow(InputError);
  expect(() => reverseComplement("ACXG")).toThrow('"X" at position 3 is not a DNA letter');
});
