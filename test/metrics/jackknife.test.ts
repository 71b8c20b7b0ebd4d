import fc from "fast-check";
import { expect, test } from "vitest";
import { auroc, aurocOver } from "../../src/metrics/auroc.ts";
import { blocksBy, singleRows } from "../../src/metrics/blocks.ts";
import { blockJackknife } from "../../src/metrics/jackknife.ts";
import { meanEstimate, meanOver } from "../../src/metrics/mean.ts";

test("for the mean of single rows it is the t interval", () => {
  const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 2, maxLength: 40 });
  fc.assert(
    fc.property(values, (x) => {
      const rows = singleRows(x.length);
      const jackknife = blockJackknife(rows, meanOver(x, rows));
      const expected = meanEstimate(x);
      expect(jackknife.dof).toBeCloseTo(x.length - 1, 9);
      expect(jackknife.low).toBeCloseTo(expected.low, 6);
      expect(jackknife.high).toBeCloseTo(expected.high, 6);
    }),
  );
});

test("two blocks have one degree of freedom, and unequal ones no less", () => {
  const equal = blocksBy(["a", "a", "b", "b"], "chromosome");
  const found = blockJackknife(equal, meanOver([0, 0, 1, 1], equal));
  // Without one block the mean is 0 or 1; √(1/2 · (1/4 + 1/4)) = 1/2, t(1) = 12.706.
  expect(found).toMatchObject({
    value: 0.5,
    standardError: 0.5,
    dof: 1,
    method: "chromosome-jackknife",
    n: 4,
  });
  expect(found.high - 0.5).toBeCloseTo(12.706 / 2, 3);
  const unequal = blocksBy(["a", "a", "a", "a", "a", "b"], "chromosome");
  expect(blockJackknife(unequal, meanOver([0, 0, 0, 1, 1, 1], unequal)).dof).toBe(1);
});

test("an unequal block counts less than a whole one", () => {
  const blocks = blocksBy(["a", "a", "b", "b", "c"], "chromosome");
  expect(blockJackknife(blocks, meanOver([0, 1, 0, 1, 1], blocks)).dof).toBeCloseTo(25 / 9 - 1, 12);
});

test("all positives in one block: an AUROC without an interval", () => {
  const blocks = blocksBy(["a", "a", "b", "b"], "chromosome");
  const scores = [3, 1, 2, 0];
  const labels = [1, 1, 0, 0];
  expect(blockJackknife(blocks, aurocOver(scores, labels, blocks))).toMatchObject({
    value: auroc(scores, labels),
    low: Number.NaN,
    high: Number.NaN,
  });
});

test("one block, or none, has no interval", () => {
  const one = blocksBy(["a", "a"], "chromosome");
  expect(blockJackknife(one, meanOver([1, 2], one))).toMatchObject({ value: 1.5, low: Number.NaN, dof: 0 });
  const none = singleRows(0);
  expect(blockJackknife(none, meanOver([], none)).value).toBeNaN();
});
