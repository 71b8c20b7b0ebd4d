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
  ...{ label, name: label, identity: label, folder: label, rows: 100 },
  ...{ value, estimate: estimate(value), best: null, tier },
});

/** Models from the best to the worst with their tie groups, and the difference of the first two. */
function group(difference: number, ...tiers: readonly (number | null)[]) {
  const models = tiers.map((tier, i) => model("abcde"[i], 0.8 - i * difference, tier));
  const pair: ComparedPair = {
    ...{ first: "a", second: "b", value: difference, difference: estimate(difference), anyTime: null },
    ...{ test: "t", p: null, pHolm: null, q: null, rowsToDecide: null },
  };
  const metric: ComparedGroup["metric"] = { name: "auroc", title: "AUROC", better: "higher" };
  return { models, pairs: [pair], metric };
}

test.each([
  [group(0.1, 1, 2), "a has the highest AUROC, 0.800 [0.780, 0.820], ahead of b by 0.100 [0.080, 0.120]"],
  [
    group(0.01, 1, 2),
    "a has the highest AUROC, 0.800 [0.780, 0.820], but is not distinguished from b: difference 0.010 [−0.010, 0.030]",
  ],
  [group(0.01, 1, 1), "a and b are not distinguished: difference in AUROC 0.010 [−0.010, 0.030]"],
  [
    group(0.01, 1, 1, 1),
    "a, b and c are not distinguished as the best; a has the highest AUROC, 0.800 [0.780, 0.820]",
  ],
  [
    group(0.01, 1, 1, 1, 1, 2),
    "a, b and 2 more are not distinguished as the best; a has the highest AUROC, 0.800 [0.780, 0.820]",
  ],
])("a sentence that the intervals support: %#", (compared, sentence) => {
  expect(verdictOf(compared)).toBe(sentence);
});

test("fewer than two compared models give no verdict", () => {
  expect(verdictOf(group(0.1, 1))).toBeUndefined();
  expect(verdictOf(group(0.1, 1, null))).toBeUndefined();
});

test("a document may name the best model in its own terms", () => {
  const lower = { ...group(0.1, 1, 2), metric: { name: "mse", title: "MSE", better: "lower" as const } };
  const stated = { label: "A", quantity: "error", value: "0.8" };
  expect(verdictOf(lower, stated)).toBe("A has the lowest error, 0.8, ahead of b by 0.100 [0.080, 0.120]");
});
