import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { seedSpread } from "../../src/metrics/seeded-clusters.ts";

test("spreads by the larger distance to the two quantiles, on both sides", () => {
  // Quantiles of 0..39 and 100: 2.5 % is 1, 97.5 % is 39.
  const scores = [...Array.from({ length: 40 }, (_, i) => i), 100];
  const spread = seedSpread(scores);
  const value = (780 + 100) / 41;
  expect(spread).toMatchObject({ n: 41, method: "seed-spread" });
  expect(spread.value).toBeCloseTo(value, 12);
  expect(spread.low).toBeCloseTo(1, 12);
  expect(spread.high).toBeCloseTo(2 * value - 1, 12);
});

test("gives one seed no spread, and is undefined without seeds", () => {
  expect(seedSpread([0.4])).toMatchObject({ value: 0.4, low: 0.4, high: 0.4 });
  expect(seedSpread([]).value).toBeNaN();
  expect(() => seedSpread([Number.NaN])).toThrow(InputError);
});
