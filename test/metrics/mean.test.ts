import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { blocksBy, singleRows } from "../../src/metrics/blocks.ts";
import { float32Sum, mean, meanEstimate, meanOver, RunningSum, sum } from "../../src/metrics/mean.ts";
import { testWithSharedData } from "../shared-data.ts";
import { goldenSection, METRICS } from "./golden.ts";

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

testWithSharedData("means equal NumPy's to the last bit", METRICS, (file) => {
  const cases = goldenSection<readonly { readonly x: readonly number[]; readonly mean: number }[]>(
    file,
    "percentile",
  );
  for (const golden of cases) expect(mean(golden.x)).toBe(golden.mean);
  expect(cases.length).toBe(6);
});

test("the error of a sum does not grow with the number of terms", () => {
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

test("numbers that arrive one after another have the same sum to the last bit", () => {
  const rng = new Pcg64(3);
  for (const count of [0, 1, 7, 128, 129, 1000, 10_007]) {
    const values = Float64Array.from({ length: count }, () => rng.nextFloat64() - 0.3);
    const running = new RunningSum(count);
    for (let at = 0; at < count; at += 333) running.add(values.subarray(at, at + 333));
    expect(running.done(), `${count} numbers`).toBe(sum(values));
  }
});

test("without numbers the sum is 0 and the mean undefined", () => {
  expect(sum([])).toBe(0);
  expect(mean([])).toBeNaN();
});

/** Log-probabilities of bases: −ln 4 on average, different for each seed. */
const likelihoods = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => -1.386 - Math.sin((i + 1) * (seed + 1.37)));

test("float32 sums of whole numbers are exact", () => {
  expect(float32Sum([])).toBe(0);
  expect(float32Sum([7])).toBe(7);
  const numbers = Array.from({ length: 1000 }, (_, i) => i + 1);
  expect(float32Sum(numbers)).toBe(500_500);
});

test.each([350, 2115])("a float32 sum of %i numbers is next to the exact sum", (count) => {
  for (let seed = 0; seed < 200; seed++) {
    const values = likelihoods(count, seed);
    const found = float32Sum(values);
    const exact = sum(values);
    expect(Math.fround(found)).toBe(found);
    const spacing = 2 ** (Math.floor(Math.log2(Math.abs(exact))) - 23);
    expect(Math.abs(found - exact)).toBeLessThanOrEqual(2.5 * spacing);
  }
});

test("float32 sums are equal that differ by less than the spacing of float32 numbers", () => {
  let ties = 0;
  for (let seed = 0; seed < 200; seed++) {
    const values = likelihoods(2115, seed);
    const other = values.slice();
    other[1057] += 3e-5;
    expect(sum(other)).not.toBe(sum(values));
    if (float32Sum(other) === float32Sum(values)) ties++;
  }
  // The spacing is 2.4e-4 at 2,900: about seven of eight such differences are lost.
  expect(ties).toBeGreaterThan(120);
});
