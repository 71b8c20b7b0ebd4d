import { expect, test } from "vitest";
import { gcFraction } from "../../../src/dna/sequence/composition.ts";

test.each([
  ["GC", 1],
  ["ACGT", 0.5],
  ["ATgNNNN", 1 / 3],
  ["AT", 0],
])("share of G and C in %s", (letters, expected) => {
  expect(gcFraction(letters)).toBe(expected);
});

test("no base, no share", () => {
  expect(gcFraction("")).toBeNaN();
  expect(gcFraction("NNN")).toBeNaN();
});
