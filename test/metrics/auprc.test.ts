import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { normal } from "../../src/base/random.ts";
import { averagePrecision, averagePrecisionEstimate, averagePrecisionOver } from "../../src/metrics/auprc.ts";
import { blockEstimate } from "../../src/metrics/block-estimate.ts";
import { singleRows } from "../../src/metrics/blocks.ts";
import { testWithSharedData } from "../shared-data.ts";
import { expectClose, goldenSection, METRICS, ownGolden } from "./golden.ts";

interface Golden {
  readonly name: string;
  readonly scores: readonly number[];
  readonly labels: readonly number[];
  readonly average_precision: number;
}

testWithSharedData("agrees with scikit-learn, but is undefined without positives", METRICS, (file) => {
  const cases = goldenSection<readonly Golden[]>(file, "classification");
  let undefinedHere = 0;
  for (const { name, scores, labels, average_precision } of cases) {
    const found = averagePrecision(scores, labels);
    if (labels.includes(1)) expectClose(found, average_precision, { absolute: 1e-14 }, name);
    else {
      // scikit-learn warns and gives 0.
      expect([found, average_precision]).toEqual([Number.NaN, 0]);
      undefinedHere++;
    }
  }
  expect([cases.length, undefinedHere]).toEqual([25, 1]);
});

interface Weighted {
  readonly scores: readonly number[];
  readonly labels: readonly number[];
  readonly weights: readonly number[];
  readonly averagePrecision: number;
}

test("rows counted several times, or not at all, agree with scikit-learn's sample weights", () => {
  const cases = goldenSection<readonly Weighted[]>(ownGolden("classification"), "weighted");
  for (const { scores, labels, weights, averagePrecision: expected } of cases) {
    const over = averagePrecisionOver(scores, labels, singleRows(scores.length));
    expectClose(over(Int32Array.from(weights)), expected, { absolute: 1e-14 }, `${scores.length} rows`);
  }
  expect(cases.length).toBe(3);
});

test("positives at ranks 1 and 3, by hand", () => {
  expect(averagePrecision([4, 3, 2, 1], [1, 0, 1, 0])).toBeCloseTo((1 + 2 / 3) / 2, 14);
});

test("counts equal scores together, whatever the order of the rows", () => {
  expect(averagePrecision([1, 1], [1, 0])).toBe(0.5);
  expect(averagePrecision([1, 1], [0, 1])).toBe(0.5);
});

test("no rows, no positives, no negatives", () => {
  expect(averagePrecision([], [])).toBeNaN();
  expect(averagePrecision([3, 4], [0, 0])).toBeNaN();
  expect(averagePrecision([3, 4], [1, 1])).toBe(1);
  expect(averagePrecisionEstimate([3, 4], [1, 1])).toMatchObject({
    value: 1,
    low: Number.NaN,
    high: Number.NaN,
  });
});

test("the formula's interval is about as wide as a jackknife's", () => {
  const rng = new Pcg64(9);
  const labels = Array.from({ length: 600 }, (_, i) => (i % 4 === 0 ? 1 : 0));
  const scores = labels.map((label) => normal(rng, 1.2 * label));
  const formula = averagePrecisionEstimate(scores, labels);
  const rows = singleRows(600);
  const jackknife = blockEstimate(rows, averagePrecisionOver(scores, labels, rows), { range: [0, 1] });
  expect(formula).toMatchObject({ value: jackknife.value, n: 600, method: "logit" });
  const ratio = (formula.high - formula.low) / (jackknife.high - jackknife.low);
  expect(ratio).toBeGreaterThan(0.75);
  expect(ratio).toBeLessThan(1.6);
});

test("rejects the same inputs as auroc", () => {
  expect(() => averagePrecision([1], [1, 0])).toThrow(InputError);
  expect(() => averagePrecision([Number.NaN], [1])).toThrow(InputError);
  expect(() => averagePrecision([1], [0.5])).toThrow(InputError);
});

test("lies between the worst ranking and 1, and is invariant to monotone transformations", () => {
  const rows = fc.array(fc.tuple(fc.integer({ min: -20, max: 20 }), fc.constantFrom(0, 1)), { minLength: 1 });
  fc.assert(
    fc.property(rows, (scored) => {
      const labels = scored.map(([, label]) => label);
      fc.pre(labels.some((label) => label === 1));
      const scores = scored.map(([score]) => score);
      const found = averagePrecision(scores, labels);
      expect(found).toBeLessThanOrEqual(1);
      const worst = averagePrecision(
        labels.map((label) => -label),
        labels,
      );
      expect(found).toBeGreaterThan(0);
      // All scores equal gives the share of positives; all positives last is the least of rankings without
      // ties.
      expect(worst).toBeCloseTo(labels.filter((label) => label === 1).length / labels.length, 12);
      expect(averagePrecision(scores.map(Math.atan), labels)).toBe(found);
    }),
  );
});
