import fc from "fast-check";
import { expect, test } from "vitest";
import { mean, sum } from "../../src/metrics/mean.ts";
import { testWithSharedData } from "../shared-data.ts";
import { goldenSection, METRICS } from "./golden.ts";

testWithSharedData("means equal NumPy's to the last bit", METRICS, (file) => {
  const cases = goldenSection<readonly { readonly x: readonly number[]; readonly mean: number }[]>(
    file,
    "percentile",
  );
  for (const golden of cases) expect(mean(golden.x)).toBe(golden.mean);
  expect(cases.length).toBe(6);
});

test("the error does not grow with the number of terms", () => {
  // A running sum of a million times 0.1 is off by 1.3e-6.
  expect(Math.abs(sum(new Float64Array(1_000_000).fill(0.1)) - 100_000)).toBeLessThan(1e-10);
});

test("whole numbers add up exactly, however many", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1e9, max: 1e9 }), { maxLength: 1000 }), (values) => {
      expect(sum(values)).toBe(values.reduce((total, value) => total + value, 0));
    }),
  );
});

test("without numbers the sum is 0 and the mean undefined", () => {
  expect(sum([])).toBe(0);
  expect(mean([])).toBeNaN();
});
