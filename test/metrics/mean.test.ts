import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { blocksBy, singleRows } from "../../src/metrics/blocks.ts";
import { mean, meanEstimate, meanOver } from "../../src/metrics/mean.ts";

test("the t interval of five numbers, by a printed table of t", () => {
  // Mean 3, s² = 2.5, t(4) = 2.776.
  const estimate = meanEstimate([1, 2, 3, 4, 5]);
  expect(estimate).toMatchObject({ value: 3, n: 5, method: "t" });
  expect(estimate.high - 3).toBeCloseTo(2.776 * Math.sqrt(0.5), 3);
  expect(3 - estimate.low).toBeCloseTo(2.776 * Math.sqrt(0.5), 3);
});

test("gives no interval for one number, and neither mean nor interval for none", () => {
  expect(meanEstimate([4])).toMatchObject({ value: 4, low: Number.NaN, high: Number.NaN });
  expect(meanEstimate([]).value).toBeNaN();
});

test("over blocks: rows count as often as their block", () => {
  const blocks = blocksBy(["a", "b", "a", "c"], "key");
  const over = meanOver([1, 10, 3, 100], blocks);
  expect(over(Int32Array.of(1, 1, 1))).toBe(28.5);
  expect(over(Int32Array.of(2, 1, 0))).toBe((1 + 3 + 1 + 3 + 10) / 5);
  expect(over(Int32Array.of(0, 0, 0))).toBeNaN();
  expect(() => meanOver([1], blocks)).toThrow(InputError);
  expect(() => meanOver([1, Number.NaN, 1, 1], blocks)).toThrow(InputError);
});

test("with every block counted once it is the mean", () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
      const once = new Int32Array(values.length).fill(1);
      expect(meanOver(values, singleRows(values.length))(once)).toBeCloseTo(mean(values), 6);
    }),
  );
});
