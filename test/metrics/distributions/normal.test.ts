import fc from "fast-check";
import { expect, test } from "vitest";
import { normalQuantile, normalUpperTail } from "../../../src/metrics/distributions.ts";
import { expectClose, goldenSection, ownGolden } from "../golden.ts";

const file = ownGolden("distributions");

test.each(goldenSection<readonly { readonly z: number; readonly tail: number }[]>(file, "normalTails"))(
  "P(Z > $z) agrees with mpmath",
  ({ z, tail }) => {
    expectClose(normalUpperTail(z), tail, { relative: 2e-15 }, `tail of ${z}`);
  },
);

test.each(goldenSection<readonly { readonly p: number; readonly z: number }[]>(file, "normalQuantiles"))(
  "the quantile of $p agrees with mpmath",
  ({ p, z }) => {
    expectClose(normalQuantile(p), z, { relative: 1e-15, absolute: 1e-16 }, `quantile of ${p}`);
  },
);

test("limits and arguments out of range", () => {
  expect(normalQuantile(0)).toBe(Number.NEGATIVE_INFINITY);
  expect(normalQuantile(0.5)).toBe(0);
  expect(normalQuantile(1)).toBe(Number.POSITIVE_INFINITY);
  expect(normalQuantile(1.1)).toBeNaN();
  expect(normalQuantile(Number.NaN)).toBeNaN();
  expect(normalUpperTail(Number.NaN)).toBeNaN();
  expect(normalUpperTail(50)).toBe(0);
  expect(normalUpperTail(Number.POSITIVE_INFINITY)).toBe(0);
  expect(normalUpperTail(Number.NEGATIVE_INFINITY)).toBe(1);
});

test("the quantile inverts the tail", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-12, max: 0.5, noNaN: true }), (p) => {
      expectClose(normalUpperTail(-normalQuantile(p)), p, { relative: 1e-13 }, `there and back from ${p}`);
    }),
  );
});
