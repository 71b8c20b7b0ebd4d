import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { normal } from "../../src/base/random.ts";
import { auroc, aurocEstimate, aurocOver } from "../../src/metrics/auroc.ts";
import { blocksBy, singleRows } from "../../src/metrics/blocks.ts";
import { normalUpperTail } from "../../src/metrics/distributions.ts";
import { criticalValue } from "../../src/metrics/intervals.ts";
import { jackknifeError, leaveOutGroups } from "../../src/metrics/jackknife.ts";
import { mannWhitney } from "../../src/metrics/mann-whitney.ts";
import { testWithSharedData } from "../shared-data.ts";
import { expectClose, goldenSection, METRICS, ownGolden } from "./golden.ts";

interface Golden {
  readonly name: string;
  readonly scores: readonly number[];
  readonly labels: readonly number[];
  readonly roc_auc: number;
}

testWithSharedData("agrees with scikit-learn", METRICS, (file) => {
  const cases = goldenSection<readonly Golden[]>(file, "classification");
  for (const { name, scores, labels, roc_auc } of cases) {
    expectClose(auroc(scores, labels), roc_auc, { absolute: 1e-14 }, name);
  }
  expect(cases.length).toBe(25);
});

interface Weighted {
  readonly scores: readonly number[];
  readonly labels: readonly number[];
  readonly weights: readonly number[];
  readonly auroc: number;
}

test("rows counted several times, or not at all, agree with scikit-learn's sample weights", () => {
  const cases = goldenSection<readonly Weighted[]>(ownGolden("classification"), "weighted");
  for (const { scores, labels, weights, auroc: expected } of cases) {
    const over = aurocOver(scores, labels, singleRows(scores.length));
    expectClose(over(Int32Array.from(weights)), expected, { absolute: 1e-14 }, `${scores.length} rows`);
  }
  expect(cases.length).toBe(3);
});

test("two positives and two negatives, counted by hand", () => {
  expect(auroc([0.9, 0.4, 0.6, 0.1], [1, 1, 0, 0])).toBe(0.75);
  expect(auroc([1, 1, 1, 1], [1, 1, 0, 0])).toBe(0.5);
});

test("is undefined for one class or no rows, not 0.5", () => {
  expect(auroc([1, 2], [1, 1])).toBeNaN();
  expect(auroc([1, 2], [0, 0])).toBeNaN();
  expect(auroc([], [])).toBeNaN();
});

test("rejects lengths that differ, scores that are not finite and other labels", () => {
  expect(() => auroc([1, 2], [1])).toThrow(InputError);
  expect(() => auroc([1, Number.NaN], [1, 0])).toThrow(/score 1 .* is NaN/);
  expect(() => auroc([1, Number.POSITIVE_INFINITY], [1, 0])).toThrow(InputError);
  expect(() => auroc([1, 2], [1, 2])).toThrow(/label of row 1 is 2/);
  expect(() => aurocOver([1, 2], [0, 1], singleRows(3))).toThrow(InputError);
});

const scored = fc.array(fc.tuple(fc.integer({ min: -5, max: 5 }), fc.constantFrom(0, 1)), { maxLength: 40 });

test("equals the share of pairs in the right order, and U/(n₁n₂) of the Mann–Whitney test", () => {
  fc.assert(
    fc.property(scored, (rows) => {
      const positives = rows.filter(([, label]) => label === 1).map(([score]) => score);
      const negatives = rows.filter(([, label]) => label === 0).map(([score]) => score);
      fc.pre(positives.length > 0 && negatives.length > 0);
      let wins = 0;
      for (const p of positives) for (const q of negatives) wins += p > q ? 1 : p === q ? 0.5 : 0;
      const pairs = positives.length * negatives.length;
      const area = auroc(
        rows.map(([score]) => score),
        rows.map(([, label]) => label),
      );
      expect(area).toBeCloseTo(wins / pairs, 12);
      expect(mannWhitney(positives, negatives, { method: "asymptotic" }).u / pairs).toBeCloseTo(area, 12);
    }),
  );
});

test("counts a block twice like its rows listed twice", () => {
  fc.assert(
    fc.property(scored, fc.array(fc.nat(2), { minLength: 3, maxLength: 3 }), (rows, times) => {
      const blocks = blocksBy(
        rows.map((_, i) => i % 3),
        "key",
      );
      const chosen = rows.flatMap((row, i) => Array.from({ length: times[i % 3] }, () => row));
      const over = aurocOver(
        rows.map(([score]) => score),
        rows.map(([, label]) => label),
        blocks,
      );
      const listed = auroc(
        chosen.map(([score]) => score),
        chosen.map(([, label]) => label),
      );
      expectClose(over(Int32Array.from(times)), listed, { absolute: 1e-12 }, "listed");
    }),
  );
});

/** The variance as DeLong writes it, from every pair of a positive and a negative. */
function varianceByPairs(scores: readonly number[], labels: readonly number[]): number {
  const positives = scores.filter((_, i) => labels[i] === 1);
  const negatives = scores.filter((_, i) => labels[i] === 0);
  const wins = (p: number, q: number) => (p > q ? 1 : p === q ? 0.5 : 0);
  const meanOf = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const spread = (values: readonly number[]) => {
    const centre = meanOf(values);
    return (
      values.reduce((total, value) => total + (value - centre) ** 2, 0) / (values.length - 1) / values.length
    );
  };
  const v10 = positives.map((p) => meanOf(negatives.map((q) => wins(p, q))));
  const v01 = negatives.map((q) => meanOf(positives.map((p) => wins(p, q))));
  return spread(v10) + spread(v01);
}

test("DeLong's variance by ranks is the variance by pairs", () => {
  const rows = fc.array(fc.tuple(fc.integer({ min: -6, max: 6 }), fc.constantFrom(0, 1)), { minLength: 8 });
  fc.assert(
    fc.property(rows, (scored) => {
      const scores = scored.map(([score]) => score);
      const labels = scored.map(([, label]) => label);
      const estimate = aurocEstimate(scores, labels, 0.1);
      fc.pre(Number.isFinite(estimate.low) && estimate.value > 0.3 && estimate.value < 0.7);
      const { value, low, high } = estimate;
      const half = (criticalValue(0.1) * Math.sqrt(varianceByPairs(scores, labels))) / (value * (1 - value));
      expect(value).toBe(auroc(scores, labels));
      const logOdds = (share: number) => Math.log(share / (1 - share));
      expect(logOdds(high) - logOdds(value)).toBeCloseTo(half, 10);
      expect(logOdds(value) - logOdds(low)).toBeCloseTo(half, 10);
    }),
  );
});

test("DeLong's interval agrees with a jackknife over rows", () => {
  const rng = new Pcg64(4);
  const labels = Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? 1 : 0));
  const scores = labels.map((label) => normal(rng, label));
  const rows = singleRows(300);
  const { without } = leaveOutGroups(rows, aurocOver(scores, labels, rows));
  const { value, low, high } = aurocEstimate(scores, labels);
  const logOdds = (share: number) => Math.log(share / (1 - share));
  const error = (((logOdds(high) - logOdds(low)) / 2) * value * (1 - value)) / criticalValue(0.95);
  expect(error).toBeCloseTo(jackknifeError(value, without), 3);
});

// Binomial error of 400 runs: about 1.1 percentage points. Value ± z·se covers in 80 % of the last case.
test.each([
  [120, 40, 1.2],
  [60, 30, 2],
  [60, 6, 2],
])(
  "DeLong's interval covers the true area of two normal distributions: %d rows, %d positive, %d apart",
  (n, positives, apart) => {
    const rng = new Pcg64(6);
    const truth = normalUpperTail(-apart / Math.SQRT2);
    const labels = Array.from({ length: n }, (_, i) => (i < positives ? 1 : 0));
    let covered = 0;
    for (let run = 0; run < 400; run++) {
      const scores = labels.map((label) => normal(rng, apart * label));
      const { low, high } = aurocEstimate(scores, labels);
      if (low <= truth && truth <= high) covered++;
    }
    expect(covered / 400).toBeGreaterThan(0.91);
  },
);

test("gives no interval for equal scores, instead of one of width 0", () => {
  expect(aurocEstimate([1, 1, 1, 1], [0, 1, 0, 1])).toMatchObject({
    value: 0.5,
    low: Number.NaN,
    high: Number.NaN,
  });
});

test("bounds a perfect ranking of ten and twenty rows by ten disjoint pairs", () => {
  const labels = Array.from({ length: 30 }, (_, i) => (i < 10 ? 1 : 0));
  const perfect = aurocEstimate(labels, labels);
  expect([perfect.value, perfect.high]).toEqual([1, 1]);
  expect(perfect.low ** 10).toBeCloseTo(0.025, 12);
  const wrong = aurocEstimate(
    labels.map((label) => -label),
    labels,
  );
  expect([wrong.value, wrong.low]).toEqual([0, 0]);
  expect(wrong.high).toBeCloseTo(1 - perfect.low, 12);
});

test("gives no interval for a class of fewer than two rows", () => {
  expect(aurocEstimate([1, 2, 3], [1, 0, 0])).toMatchObject({ value: 0, low: Number.NaN, high: Number.NaN });
  expect(aurocEstimate([1, 2, 3], [0, 0, 0]).value).toBeNaN();
});
