import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { codesOf, lettersOf } from "../../../src/dna/sequence/encoding.ts";
import { reverseComplement, reverseComplementCodes } from "../../../src/dna/sequence/reverse-complement.ts";
import { sequences } from "./random-sequences.ts";

test("reverse complement of a sequence", () => {
  expect(reverseComplement("AACGTTTGN")).toBe("NCAAACGTT");
  expect(reverseComplement("")).toBe("");
});

test("complements ambiguity codes", () => {
  // The bases of each ambiguity code (Cornish-Bowden 1985, table 1).
  const bases: Record<string, string> = {
    A: "A",
    C: "C",
    G: "G",
    T: "T",
    R: "AG",
    Y: "CT",
    S: "CG",
    W: "AT",
    K: "GT",
    M: "AC",
    B: "CGT",
    D: "AGT",
    H: "ACT",
    V: "ACG",
    N: "ACGT",
  };
  const sorted = (letters: string) => [...letters].sort().join("");
  for (const [letter, set] of Object.entries(bases)) {
    expect(bases[reverseComplement(letter)]).toBe(
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
      expect(lettersOf(reverseComplementCodes(codesOf(letters)))).toBe(complement);
    }),
  );
});

test("names an invalid character with its position", () => {
  expect(() => reverseComplement("ACXG")).toThrow(InputError);
  expect(() => reverseComplement("ACXG")).toThrow('"X" at position 3 is not a DNA letter');
});
