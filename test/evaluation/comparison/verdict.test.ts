import { expect, test } from "vitest";
import type {
  ComparedGroup,
  ComparedModel,
  ComparedPair,
} from "../../../src/evaluation/comparison/comparison.ts";
import { verdictOf } from "../../../src/evaluation/comparison/verdict.ts";

const estimate = (value: number) => ({
  value,
  low: value - 0.02,
  high: value + 0.02,
  n: 100,
  method: "genomic-block-jackknife",
});

const model = (label: string, value: number, tier: number | null): ComparedModel => ({
  label,
  name: label,
  identity: label,
  folder: label,
  rows: 100,
  value,
  estimate: estimate(value),
  best: null,
  tier,
});

/** Models from the best to the worst with their tie groups, and the differences of the best to the others. */
function group(difference: number, ...tiers: readonly (number | null)[]) {
  const models = tiers.map((tier, i) => model("abcde"[i], 0.8 - i * difference, tier));
  const pairs = models.slice(1).map(
    ({ label }, i): ComparedPair => ({
      first: "a",
      second: label,
      value: (i + 1) * difference,
      difference: estimate((i + 1) * difference),
      anyTime: null,
      test: "t",
      p: null,
      pHolm: 0.075,
      q: null,
      rowsToDecide: null,
    }),
  );
  const metric: ComparedGroup["metric"] = { name: "auroc", title: "AUROC", better: "higher" };
  return { models, pairs, metric };
}

const A = "a has the highest AUROC, 0.800 [0.780, 0.820]";

test.each([
  [group(0.1, 1, 2), `${A}, ahead of b by 0.100 [0.080, 0.120]`, true],
  [group(0.1, 1, 2, 2), `${A}, ahead of b by 0.100 [0.080, 0.120]`, true],
  [group(0.01, 1, 2), `${A}; the difference from b, 0.010 [−0.010, 0.030], is not significant`, false],
  [group(0.01, 1, 1), `${A}; the difference from b, 0.010 [−0.010, 0.030], is not significant`, false],
  // The tie is with the third model.
  [group(0.005, 1, 2, 1), `${A}; the difference from c, 0.010 [−0.010, 0.030], is not significant`, false],
  // The interval of one pair excludes 0, but not with the correction for three pairs that tie groups have.
  [
    group(0.1, 1, 1, 2),
    `${A}; the difference from b, 0.100 [0.080, 0.120], is not significant (p 0.075 after Holm's correction for 2 pairs)`,
    false,
  ],
  [group(0.01, 1, 1, 1), `${A}; the differences from b and c are not significant`, false],
  [group(0.01, 1, 1, 1, 1, 2), `${A}; the differences from b and 2 other models are not significant`, false],
])("a sentence that tie groups and intervals support: %#", (compared, sentence, isAhead) => {
  expect(verdictOf(compared)).toEqual({ sentence, isAhead });
});

test("fewer than two compared models give no verdict", () => {
  expect(verdictOf(group(0.1, 1))).toBeUndefined();
  expect(verdictOf(group(0.1, 1, null))).toBeUndefined();
});

test("a document may name the best model in its own terms", () => {
  const lower = { ...group(0.1, 1, 2), metric: { name: "mse", title: "MSE", better: "lower" as const } };
  const stated = { label: "A", quantity: "error, peaks", value: "0.8" };
  expect(verdictOf(lower, stated)?.sentence).toBe(
    "A has the lowest error (peaks), 0.8, ahead of b by 0.100 [0.080, 0.120]",
  );
});
