import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { median, percentile, percentiles } from "../../src/metrics/quantiles.ts";
import { testWithSharedData } from "../shared-data.ts";
import { goldenSection, METRICS } from "./golden.ts";

testWithSharedData("percentiles equal NumPy's to the last bit", METRICS, (file) => {
  interface Golden {
    readonly name: string;
    readonly x: readonly number[];
    readonly median: number;
    readonly q: Readonly<Record<string, number>>;
  }
  let compared = 0;
  for (const golden of goldenSection<readonly Golden[]>(file, "percentile")) {
    expect(median(golden.x), golden.name).toBe(golden.median);
    for (const [percent, expected] of Object.entries(golden.q)) {
      expect(percentile(golden.x, Number(percent)), `${golden.name}, ${percent} %`).toBe(expected);
      compared++;
    }
  }
  expect(compared).toBe(54);
});

test("interpolates between two order statistics", () => {
  expect(percentiles([10, 20, 40], [0, 25, 50, 75, 100])).toEqual([10, 15, 20, 30, 40]);
});

test("interpolates the middle from the upper value, as NumPy 2.5 does", () => {
  // From the lower value it is 0.6500000000000001.
  expect(percentile([0.2, 1.1], 50)).toBe(0.65);
});

test("does not depend on the order of the values, nor change them", () => {
  const values = [3, 1, 2];
  expect(median(values)).toBe(2);
  expect(values).toEqual([3, 1, 2]);
});

test("is undefined without values, and checks percentages and values", () => {
  expect(median([])).toBeNaN();
  expect(() => percentile([1], 101)).toThrow(InputError);
  expect(() => percentile([1, Number.NaN], 50)).toThrow(/value 1 .* is NaN/);
});

test("increases with the percentage, from the smallest value to the largest", () => {
  // Whole numbers: between doubles of any size, interpolation from either end may differ in the last bit.
  const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1 });
  fc.assert(
    fc.property(values, fc.nat(100), fc.nat(100), (x, p, q) => {
      const [low, high] = percentiles(x, [Math.min(p, q), Math.max(p, q)]);
      expect(low).toBeLessThanOrEqual(high + 1e-9);
      expect(percentiles(x, [0, 100])).toEqual([Math.min(...x), Math.max(...x)]);
    }),
  );
});
