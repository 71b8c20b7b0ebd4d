import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { criticalValue, waldInterval, wilsonInterval } from "../../src/metrics/intervals.ts";
import { testWithSharedData } from "../shared-data.ts";
import { expectClose, goldenSection, METRICS, ownGolden } from "./golden.ts";

testWithSharedData("Wald intervals agree with statsmodels", METRICS, (file) => {
  interface Golden {
    readonly count: number;
    readonly nobs: number;
    readonly low: number;
    readonly high: number;
  }
  const cases = goldenSection<readonly Golden[]>(file, "proportion_confint_normal");
  for (const { count, nobs, low, high } of cases) {
    const found = waldInterval(count, nobs);
    expectClose(found.low, low, { absolute: 1e-15 }, `${count} of ${nobs}, low`);
    expectClose(found.high, high, { absolute: 1e-15 }, `${count} of ${nobs}, high`);
  }
  expect(cases.length).toBe(12);
});

test("Wilson intervals agree with statsmodels", () => {
  interface Golden {
    readonly count: number;
    readonly nobs: number;
    readonly level: number;
    readonly low: number;
    readonly high: number;
  }
  const cases = goldenSection<readonly Golden[]>(ownGolden("tests-and-intervals"), "wilson");
  for (const { count, nobs, level, low, high } of cases) {
    const found = wilsonInterval(count, nobs, level);
    expectClose(found.low, low, { absolute: 1e-15 }, `${count} of ${nobs}, low`);
    expectClose(found.high, high, { absolute: 1e-15 }, `${count} of ${nobs}, high`);
  }
  expect(cases.length).toBe(12);
});

test("Wald: the published half-widths", () => {
  const task1 = waldInterval(0.971 * 4_697_708, 4_697_708);
  expect((task1.high - task1.low) / 2).toBeCloseTo(1.52e-4, 6);
  const task2 = waldInterval(118, 200);
  expect([task2.low, task2.high].map((bound) => bound.toFixed(3))).toEqual(["0.522", "0.658"]);
});

test("Wilson: values worked out by hand", () => {
  // z² = 3.841459: nothing of ten gives z²/(n + z²) as the upper bound.
  const none = wilsonInterval(0, 10);
  expect(none).toMatchObject({ value: 0, low: 0, n: 10, method: "wilson" });
  expect(none.high).toBeCloseTo(3.841458820694124 / 13.841458820694124, 14);
  const half = wilsonInterval(5, 10);
  expect(half.low).toBeCloseTo(0.2365930905, 9);
  expect(half.high).toBeCloseTo(0.7634069095, 9);
});

test("is undefined without trials, not 0.5", () => {
  for (const interval of [waldInterval(0, 0), wilsonInterval(0, 0)]) {
    expect([interval.value, interval.low, interval.high]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  }
});

test("rejects values that are not proportions, and levels in per cent", () => {
  expect(() => wilsonInterval(11, 10)).toThrow(InputError);
  expect(() => waldInterval(-1, 10)).toThrow(InputError);
  expect(() => wilsonInterval(1, 10, 95)).toThrow(/0.95 for 95 %/);
});

test("places bounds where the score test turns: (value − bound)² = z² bound(1 − bound)/n", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, share) => {
      const { value, low, high } = wilsonInterval(Math.round(share * n), n);
      const z = criticalValue(0.95);
      for (const bound of [low, high]) {
        expect((value - bound) ** 2).toBeCloseTo((z * z * bound * (1 - bound)) / n, 12);
      }
      expect(low <= value && value <= high).toBe(true);
      expect(low >= 0 && high <= 1).toBe(true);
    }),
  );
});

test("Wilson covers close to its level near 1, where Wald does not", () => {
  // Exact coverage for p = 0.97 and n = 100: the sum of binomial probabilities whose interval contains p.
  const p = 0.97;
  const n = 100;
  let probability = (1 - p) ** n;
  const coverage = { wald: 0, wilson: 0 };
  for (let k = 0; k <= n; k++) {
    const wald = waldInterval(k, n);
    const wilson = wilsonInterval(k, n);
    if (wald.low <= p && p <= wald.high) coverage.wald += probability;
    if (wilson.low <= p && p <= wilson.high) coverage.wilson += probability;
    probability *= ((n - k) / (k + 1)) * (p / (1 - p));
  }
  expect(coverage.wilson).toBeGreaterThan(0.93);
  expect(coverage.wald).toBeLessThan(0.9);
});
