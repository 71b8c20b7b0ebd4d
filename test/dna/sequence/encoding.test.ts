import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import {
  asModelSequence,
  codesOf,
  oneHot,
  oneHotOfCodes,
  sequenceOf,
  windowCodes,
} from "../../../src/dna/sequence/encoding.ts";
import { reverseComplement } from "../../../src/dna/sequence/reverse-complement.ts";
import { sequences } from "./random-sequences.ts";

test("base codes follow the order A, C, G, T, case-insensitive", () => {
  expect([...codesOf("ACGTacgtNnRy-")]).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 4, 4, 4, 4, 4]);
  expect(sequenceOf(codesOf("acgtRN"))).toBe("ACGTNN");
  expect(sequenceOf(new Uint8Array(0))).toBe("");
});

test("language models receive A for ambiguity letters", () => {
  expect(asModelSequence("acgtNRyG")).toBe("ACGTAAAG");
  fc.assert(
    fc.property(sequences("ACGTNacgtnRYSWKMBDHV", { maxLength: 5000 }), (letters) => {
      expect(asModelSequence(letters)).toBe(letters.toUpperCase().replaceAll(/[^ACGT]/g, "A"));
    }),
  );
});

test("refuses characters outside ASCII", () => {
  expect(() => codesOf("ACÄ")).toThrow(InputError);
  expect(() => asModelSequence("ACÄ")).toThrow('"Ä" at position 3 is not a DNA letter');
});

test("positions beyond a chromosome end are NO_BASE", () => {
  const chromosome = Buffer.from("ACGTNacgt");
  const at = (start: number, end: number) => sequenceOf(windowCodes(chromosome, start, end));
  expect(at(0, 9)).toBe("ACGTNACGT");
  expect(at(-2, 3)).toBe("NNACG");
  expect(at(7, 12)).toBe("GTNNN");
  expect(at(-1, 11)).toBe("NACGTNACGTNN");
  expect(at(-5, -2)).toBe("NNN");
  expect(at(20, 23)).toBe("NNN");
  expect(at(4, 4)).toBe("");
});

test("windowCodes overwrites its output array", () => {
  const codes = new Uint8Array(4).fill(9);
  expect(windowCodes(Buffer.from("AC"), -1, 3, codes)).toBe(codes);
  expect([...codes]).toEqual([4, 0, 1, 4]);
});

test("one-hot: four channels per base, zeros for N", () => {
  expect([...oneHot("AcGTN")]).toEqual([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
  expect(oneHot("")).toHaveLength(0);
});

test("one-hot: the reverse complement reverses both axes", () => {
  fc.assert(
    fc.property(sequences("ACGTN"), (letters) => {
      expect(oneHot(reverseComplement(letters))).toEqual(oneHot(letters).reverse());
    }),
  );
});

test("one-hot: overwrites an entry of a batch", () => {
  const batch = new Float32Array(12).fill(7);
  oneHotOfCodes(codesOf("T"), batch, 4);
  expect([...batch]).toEqual([7, 7, 7, 7, 0, 0, 0, 1, 7, 7, 7, 7]);
});
