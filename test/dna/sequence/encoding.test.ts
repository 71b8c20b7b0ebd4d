import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import {
  asLanguageModelLetters,
  codesOf,
  lettersOf,
  windowCodes,
} from "../../../src/dna/sequence/encoding.ts";
import { sequences } from "./random-sequences.ts";

test("letters have codes in the order A, C, G, T, whatever their case", () => {
  expect([...codesOf("ACGTacgtNnRy-")]).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 4, 4, 4, 4, 4]);
  expect(lettersOf(codesOf("acgtRN"))).toBe("ACGTNN");
  expect(lettersOf(new Uint8Array(0))).toBe("");
});

test("a language model is shown A where there is no base", () => {
  expect(asLanguageModelLetters("acgtNRyG")).toBe("ACGTAAAG");
  fc.assert(
    fc.property(sequences("ACGTNacgtnRYSWKMBDHV", { maxLength: 5000 }), (letters) => {
      expect(asLanguageModelLetters(letters)).toBe(letters.toUpperCase().replaceAll(/[^ACGT]/g, "A"));
    }),
  );
});

test("a text with letters outside ASCII is no sequence", () => {
  expect(() => codesOf("ACÄ")).toThrow(InputError);
  expect(() => asLanguageModelLetters("ACÄ")).toThrow('"Ä" at position 3 is not a DNA letter');
});

test("a window of a chromosome has no base where it lies beyond an end", () => {
  const chromosome = Buffer.from("ACGTNacgt");
  const at = (start: number, end: number) => lettersOf(windowCodes(chromosome, start, end));
  expect(at(0, 9)).toBe("ACGTNACGT");
  expect(at(-2, 3)).toBe("NNACG");
  expect(at(7, 12)).toBe("GTNNN");
  expect(at(-1, 11)).toBe("NACGTNACGTNN");
  expect(at(-5, -2)).toBe("NNN");
  expect(at(20, 23)).toBe("NNN");
  expect(at(4, 4)).toBe("");
});

test("a window is written over what an earlier one left", () => {
  const codes = new Uint8Array(4).fill(9);
  expect(windowCodes(Buffer.from("AC"), -1, 3, codes)).toBe(codes);
  expect([...codes]).toEqual([4, 0, 1, 4]);
});
