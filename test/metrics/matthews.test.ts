import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { blocksBy, singleRows } from "../../src/metrics/blocks.ts";
import { pearson } from "../../src/metrics/correlation.ts";
import { confusion, matthews, matthewsEstimate, matthewsOver } from "../../src/metrics/matthews.ts";
import { testWithSharedData } from "../shared-data.ts";
import { expectClose, goldenSection, METRICS, ownGolden } from "./golden.ts";

testWithSharedData("agrees with scikit-learn", METRICS, (file) => {
  interface Golden {
    readonly name: string;
    readonly labels: readonly number[];
    readonly predictions: readonly number[];
    readonly mcc: number;
  }
  const cases = goldenSection<readonly Golden[]>(file, "classification");
  for (const { name, labels, predictions, mcc } of cases) {
    expectClose(matthews(confusion(predictions, labels)), mcc, { absolute: 1e-14 }, name);
  }
  expect(cases.length).toBe(25);
});

test("rows counted several times, or not at all, agree with scikit-learn's sample weights", () => {
  interface Weighted {
    readonly predicted: readonly number[];
    readonly labels: readonly number[];
    readonly weights: readonly number[];
    readonly matthews: number;
  }
  for (const golden of goldenSection<readonly Weighted[]>(ownGolden("classification"), "weighted")) {
    const over = matthewsOver(golden.predicted, golden.labels, singleRows(golden.labels.length));
    expectClose(over(Int32Array.from(golden.weights)), golden.matthews, { absolute: 1e-14 }, "weighted");
  }
});

test("the four cells", () => {
  const counts = confusion([1, 1, 0, 0, 0], [1, 0, 1, 0, 0]);
  expect(counts).toEqual({ truePositives: 1, falsePositives: 1, falseNegatives: 1, trueNegatives: 2 });
  expect(matthews(counts)).toBeCloseTo((1 * 2 - 1 * 1) / Math.sqrt(2 * 2 * 3 * 3), 14);
});

test("is 0 for always predicting one class, and undefined without rows", () => {
  expect(matthews(confusion([1, 1, 1], [1, 0, 1]))).toBe(0);
  expect(matthews(confusion([], []))).toBeNaN();
  expect(matthewsEstimate(confusion([], [])).low).toBeNaN();
});

test("does not overflow for the counts of a whole genome", () => {
  const counts = { truePositives: 2e6, falsePositives: 1e6, falseNegatives: 1e6, trueNegatives: 2e9 };
  expect(matthews(counts)).toBeCloseTo(2 / 3, 3);
});

test("equals Pearson's correlation of predictions and labels", () => {
  const rows = fc.array(fc.tuple(fc.constantFrom(0, 1), fc.constantFrom(0, 1)), { minLength: 2 });
  fc.assert(
    fc.property(rows, (pairs) => {
      const predicted = pairs.map(([p]) => p);
      const labels = pairs.map(([, l]) => l);
      const { r } = pearson(predicted, labels);
      fc.pre(!Number.isNaN(r));
      expect(matthews(confusion(predicted, labels))).toBeCloseTo(r, 12);
      const once = Int32Array.of(1, 1);
      const halves = blocksBy(
        pairs.map((_, i) => i % 2),
        "half",
      );
      expect(matthewsOver(predicted, labels, halves)(once)).toBeCloseTo(r, 12);
    }),
  );
});

test("gives an interval that covers, contains the value, and stays inside (−1, 1) for a perfect table", () => {
  const rng = new Pcg64(3);
  // Labels and predictions that agree in three of four cases have a correlation of 0.5.
  let covered = 0;
  for (let run = 0; run < 400; run++) {
    const labels = Array.from({ length: 80 }, () => (rng.nextFloat64() < 0.5 ? 1 : 0));
    const predicted = labels.map((label) => (rng.nextFloat64() < 0.75 ? label : 1 - label));
    const { low, high } = matthewsEstimate(confusion(predicted, labels));
    if (low <= 0.5 && 0.5 <= high) covered++;
  }
  expect(covered / 400).toBeGreaterThan(0.92);
  const perfect = matthewsEstimate({
    truePositives: 9,
    falsePositives: 0,
    falseNegatives: 0,
    trueNegatives: 9,
  });
  expect([perfect.value, perfect.high]).toEqual([1, 1]);
  expect(perfect.low).toBeGreaterThan(0.4);
  expect(perfect.low).toBeLessThan(0.95);
});

test("rejects classes other than 0 and 1", () => {
  expect(() => confusion([2], [1])).toThrow(InputError);
  expect(() => confusion([1], [1, 0])).toThrow(InputError);
});
