import fc from "fast-check";
import { expect, test } from "vitest";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { normal } from "../../src/base/random.ts";
import { auroc, aurocEstimate, aurocOver } from "../../src/metrics/auroc.ts";
import { singleRows } from "../../src/metrics/blocks.ts";
import { normalUpperTail } from "../../src/metrics/distributions.ts";
import { criticalValue } from "../../src/metrics/intervals.ts";
import { jackknifeError, leaveOutGroups } from "../../src/metrics/jackknife.ts";

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

test("the variance by ranks is the variance by pairs", () => {
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

test("agrees with a jackknife over rows", () => {
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
  "covers the true area of two normal distributions: %d rows, %d positive, %d apart",
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
