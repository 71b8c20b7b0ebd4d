import fc from "fast-check";
import { expect, test } from "vitest";
import { sequenceOf } from "../../../src/dna/sequence/encoding.ts";
import { alleleWindows, referenceAllele } from "../../../src/dna/sequence/variant.ts";

const chromosome = (letters: string) => new TextEncoder().encode(letters);
const text = (codes: Uint8Array) => sequenceOf(codes);

test("the variant is in the centre of both windows", () => {
  const { first, second, reference } = alleleWindows(
    chromosome("AACCGGTTAACC"),
    { position: 5, allele1: "G", allele2: "T" },
    6,
  );
  expect([text(first), text(second), reference]).toEqual(["CCGGTT", "CCGTTT", 1]);
});

test("an insertion ends the window earlier on the chromosome, a deletion later", () => {
  const insertion = { position: 5, allele1: "G", allele2: "GCA" };
  const deletion = { position: 5, allele1: "GTT", allele2: "G" };
  const at = chromosome("AACCGGTTAACC");
  const inserted = alleleWindows(at, insertion, 8);
  expect([text(inserted.first), text(inserted.second)]).toEqual(["ACCGGTTA", "ACCGGCAT"]);
  const deleted = alleleWindows(at, deletion, 8);
  expect([text(deleted.first), text(deleted.second)]).toEqual(["ACCGGTTA", "ACCGGAAC"]);
});

test("the bases of the reference allele are replaced, also if it is the second", () => {
  const variant = { position: 5, allele1: "GC", allele2: "GTT" };
  const { first, second, reference } = alleleWindows(chromosome("AACCGGTTAACC"), variant, 8);
  expect([text(first), text(second), reference]).toEqual(["ACCGGCAA", "ACCGGTTA", 2]);
});

test("positions off the chromosome are NO_BASE", () => {
  const { first, second } = alleleWindows(
    chromosome("ACGT"),
    { position: 0, allele1: "A", allele2: "AT" },
    6,
  );
  expect([text(first), text(second)]).toEqual(["NNNACG", "NNNATC"]);
  const last = alleleWindows(chromosome("ACGT"), { position: 3, allele1: "T", allele2: "TGGGGG" }, 6);
  expect([text(last.first), text(last.second)]).toEqual(["ACGTNN", "ACGTGG"]);
});

test("the reference allele is case-insensitive, never N, and the first of two matches", () => {
  const at = chromosome("NACG");
  expect(referenceAllele(at, { position: 1, allele1: "c", allele2: "a" })).toBe(2);
  expect(referenceAllele(at, { position: 0, allele1: "N", allele2: "C" })).toBe(0);
  expect(referenceAllele(at, { position: 1, allele1: "A", allele2: "AC" })).toBe(1);
  expect(referenceAllele(at, { position: 3, allele1: "GT", allele2: "G" })).toBe(2);
});

test("the window of the reference allele equals the chromosome", () => {
  const dna = fc.string({ unit: fc.constantFrom("A", "C", "G", "T"), minLength: 40, maxLength: 80 });
  const allele = fc.string({ unit: fc.constantFrom("A", "C", "G", "T"), minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(dna, allele, fc.nat(39), fc.integer({ min: 1, max: 3 }), (letters, other, place, length) => {
      const position = Math.min(place, letters.length - length);
      const own = letters.slice(position, position + length);
      const windows = alleleWindows(chromosome(letters), { position, allele1: own, allele2: other }, 20);
      const padded = `${"N".repeat(10)}${letters}${"N".repeat(10)}`;
      expect(windows.reference).toBe(1);
      expect(text(windows.first)).toBe(padded.slice(position, position + 20));
      expect(text(windows.second).slice(0, 10)).toBe(text(windows.first).slice(0, 10));
      expect(text(windows.second).slice(10, 10 + other.length)).toBe(other);
    }),
  );
});
