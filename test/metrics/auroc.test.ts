import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { auroc, aurocOver } from "../../src/metrics/auroc.ts";
import { blocksBy, singleRows } from "../../src/metrics/blocks.ts";
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

test("refuses lengths that differ, scores that are not finite and other labels", () => {
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
