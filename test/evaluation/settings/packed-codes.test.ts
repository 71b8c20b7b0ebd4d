import fc from "fast-check";
import { expect, test } from "vitest";
import { PackedCodes } from "../../../src/evaluation/settings/ab-initio.ts";

test("codes round-trip next to any others", () => {
  const sequences = fc.integer({ min: 1, max: 9 }).chain((length) =>
    fc.array(fc.uint8Array({ minLength: length, maxLength: length, max: 4 }), {
      minLength: 1,
      maxLength: 6,
    }),
  );
  fc.assert(
    fc.property(sequences, (given) => {
      const codes = new PackedCodes(given.length, given[0].length);
      given.forEach((sequence, i) => {
        codes.set(i, sequence);
      });
      given.forEach((sequence, i) => {
        expect(codes.get(i)).toEqual(sequence);
      });
    }),
  );
});

test("a sequence of another length is a mistake of the caller", () => {
  expect(() => new PackedCodes(1, 3).set(0, Uint8Array.of(1, 2))).toThrow(/2 bases instead of 3/);
});
