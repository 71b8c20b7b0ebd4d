import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { normal } from "../../src/base/random.ts";
import { blocksBy, singleRows } from "../../src/metrics/blocks.ts";
import { clusteredProportion, proportionInference } from "../../src/metrics/clustered-proportion.ts";
import { wilsonInterval } from "../../src/metrics/intervals.ts";

test("equals Wilson's interval for many single rows without skewness", () => {
  const outcomes = Array.from({ length: 500 }, (_, i) => i % 2);
  const found = clusteredProportion(outcomes, singleRows(500));
  const expected = wilsonInterval(250, 500);
  expect(found).toMatchObject({ value: 0.5, n: 500, method: "row-wilson" });
  expect(found.low).toBeCloseTo(expected.low, 3);
  expect(found.high).toBeCloseTo(expected.high, 3);
});

test("gives p < 0.05 exactly where the interval excludes the value", () => {
  const rng = new Pcg64(3);
  for (let run = 0; run < 50; run++) {
    const keys = Array.from({ length: 300 }, (_, i) => Math.floor(i / 12));
    const ease = Array.from({ length: 25 }, () => normal(rng));
    const outcomes = keys.map((key) => (ease[key] + normal(rng, 1) > 0 ? 1 : 0));
    const { estimate, pAgainst } = proportionInference(outcomes, blocksBy(keys, "background"));
    expect(pAgainst(estimate.low)).toBeCloseTo(0.05, 8);
    expect(pAgainst(estimate.high)).toBeCloseTo(0.05, 8);
    expect(pAgainst(0.5) < 0.05).toBe(estimate.low > 0.5 || estimate.high < 0.5);
  }
});

test("does not widen blocks that vary less than independent rows", () => {
  const outcomes = Array.from({ length: 600 }, (_, i) =>
    i % 100 < 58 + (Math.floor(i / 100) % 2) * 4 ? 1 : 0,
  );
  const blocks = blocksBy(
    outcomes.map((_, i) => Math.floor(i / 100)),
    "chromosome",
  );
  const { low, high, basis } = clusteredProportion(outcomes, blocks);
  // Block shares 0.58 and 0.62: standard error 0.0089, t(5) = 2.57; as independent rows it would be 0.02.
  expect(basis).toMatchObject({ blocks: 6, dof: 5 });
  expect(high - low).toBeCloseTo(2 * 2.571 * 0.00894, 3);
});

test("the interval is not one-sided when one of six blocks is an outlier", () => {
  const shares = [0.86, 0.87, 0.88, 0.87, 0.88, 0.96];
  const outcomes = shares.flatMap((share) =>
    Array.from({ length: 100 }, (_, i) => (i < 100 * share ? 1 : 0)),
  );
  const blocks = blocksBy(
    outcomes.map((_, i) => Math.floor(i / 100)),
    "chromosome",
  );
  const { low, value, high } = clusteredProportion(outcomes, blocks);
  const logOdds = (share: number) => Math.log(share / (1 - share));
  const lopsided = (logOdds(high) - logOdds(value)) / (logOdds(value) - logOdds(low));
  expect(lopsided).toBeGreaterThan(0.7);
  expect(lopsided).toBeLessThan(1.4);
});

test("counts blocks, not rows, where all rows of a block are equal", () => {
  const outcomes = Array.from({ length: 2000 }, (_, i) => (Math.floor(i / 20) % 10 < 9 ? 1 : 0));
  const blocks = blocksBy(
    outcomes.map((_, i) => Math.floor(i / 20)),
    "background",
  );
  const found = clusteredProportion(outcomes, blocks);
  // Ten failures among a hundred blocks are skew: both bounds lie lower than Wilson's, by less than 0.03.
  const expected = wilsonInterval(90, 100);
  expect(found.low).toBeGreaterThan(expected.low - 0.03);
  expect(found.low).toBeLessThan(expected.low);
  expect(found.high).toBeGreaterThan(expected.high - 0.03);
  expect(found.high).toBeLessThan(expected.high + 0.005);
});

test("gives an interval without a single failure, by the number of blocks", () => {
  const blocks = blocksBy(
    Array.from({ length: 60 }, (_, i) => i % 6),
    "chromosome",
  );
  const { value, low, high } = clusteredProportion(new Float64Array(60).fill(1), blocks);
  expect([value, high]).toEqual([1, 1]);
  // Six alike blocks: Wilson's bound for 6 of 6 is 0.61, for few degrees of freedom a little lower.
  expect(low).toBeGreaterThan(0.4);
  expect(low).toBeLessThan(0.61);
});

test("does not count equal blocks as more than their rows", () => {
  const outcomes = Array.from({ length: 400 }, (_, i) => i % 2);
  const blocks = blocksBy(
    outcomes.map((_, i) => i >> 2),
    "background",
  );
  const { low } = clusteredProportion(outcomes, blocks);
  expect(low).toBeCloseTo(wilsonInterval(200, 400).low, 2);
});

test("gives no interval for one block, and rejects outcomes outside [0, 1]", () => {
  expect(clusteredProportion([1, 0.5], blocksBy(["a", "a"], "chromosome"))).toMatchObject({
    value: 0.75,
    low: Number.NaN,
    high: Number.NaN,
  });
  expect(clusteredProportion([], singleRows(0)).value).toBeNaN();
  expect(() => clusteredProportion([1, 2], singleRows(2))).toThrow(InputError);
});
