import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { blocksBy, singleRows } from "../../src/metrics/blocks.ts";
import { clusteredProportion } from "../../src/metrics/clustered-proportion.ts";
import { wilsonInterval } from "../../src/metrics/intervals.ts";

test("for many single rows it is Wilson's interval", () => {
  const outcomes = Array.from({ length: 2000 }, (_, i) => (i % 10 < 9 ? 1 : 0));
  const found = clusteredProportion(outcomes, singleRows(2000));
  const expected = wilsonInterval(1800, 2000);
  expect(found).toMatchObject({ value: 0.9, n: 2000, method: "row-wilson" });
  expect(found.low).toBeCloseTo(expected.low, 4);
  expect(found.high).toBeCloseTo(expected.high, 4);
});

test("rows that only repeat their block count as the blocks do", () => {
  const outcomes = Array.from({ length: 2000 }, (_, i) => (Math.floor(i / 20) % 10 < 9 ? 1 : 0));
  const blocks = blocksBy(
    outcomes.map((_, i) => Math.floor(i / 20)),
    "background",
  );
  const found = clusteredProportion(outcomes, blocks);
  const expected = wilsonInterval(90, 100);
  expect(found.low).toBeCloseTo(expected.low, 2);
  expect(found.high).toBeCloseTo(expected.high, 2);
});

test("without a single failure: not a point, but what so many blocks allow", () => {
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

test("alike blocks are no more than their rows", () => {
  const outcomes = Array.from({ length: 400 }, (_, i) => i % 2);
  const blocks = blocksBy(
    outcomes.map((_, i) => i >> 2),
    "background",
  );
  const { low } = clusteredProportion(outcomes, blocks);
  expect(low).toBeCloseTo(wilsonInterval(200, 400).low, 2);
});

test("one block has no interval; outcomes are shares", () => {
  expect(clusteredProportion([1, 0.5], blocksBy(["a", "a"], "chromosome"))).toMatchObject({
    value: 0.75,
    low: Number.NaN,
    high: Number.NaN,
  });
  expect(clusteredProportion([], singleRows(0)).value).toBeNaN();
  expect(() => clusteredProportion([1, 2], singleRows(2))).toThrow(InputError);
});
