import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import {
  exponential,
  gammaOfMeanOne,
  integerIn,
  poisson,
  weightedIndex,
} from "../../../src/demo/synthetic/draws.ts";

const N = 30_000;

function moments(draw: () => number): { mean: number; variance: number } {
  const values = Array.from({ length: N }, draw);
  const mean = values.reduce((a, b) => a + b) / N;
  return { mean, variance: values.reduce((a, b) => a + (b - mean) ** 2, 0) / N };
}

describe("draws", () => {
  test.each([0.01, 3, 16, 75])("a Poisson count of mean %d has that mean and variance", (mean) => {
    const rng = new Pcg64(1);
    const drawn = moments(() => poisson(rng, mean));
    expect(Math.abs(drawn.mean - mean)).toBeLessThan(5 * Math.sqrt(mean / N));
    expect(Math.abs(drawn.variance / mean - 1)).toBeLessThan(5 * Math.sqrt((2 + 1 / mean) / N));
  });

  test.each([1, 10])("a gamma variate of shape %d has mean 1 and variance 1 / shape", (shape) => {
    const rng = new Pcg64(2);
    const drawn = moments(() => gammaOfMeanOne(rng, shape));
    expect(Math.abs(drawn.mean - 1)).toBeLessThan(5 * Math.sqrt(1 / shape / N));
    expect(Math.abs(drawn.variance * shape - 1)).toBeLessThan(5 * Math.sqrt((2 + 6 / shape) / N));
  });

  test("exponential variates have the given mean; a Poisson mean of 0 gives 0", () => {
    const rng = new Pcg64(3);
    const drawn = moments(() => exponential(rng, 7));
    expect(Math.abs(drawn.mean - 7)).toBeLessThan((5 * 7) / Math.sqrt(N));
    expect(poisson(rng, 0)).toBe(0);
  });

  test("integers are uniform including both ends; indices follow their weights", () => {
    const rng = new Pcg64(4);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < N; i++) counts[integerIn(rng, [2, 5]) - 2]++;
    for (const count of counts) expect(Math.abs(count - N / 4)).toBeLessThan(5 * Math.sqrt(N * 0.25 * 0.75));
    const weighted = [0, 0, 0];
    for (let i = 0; i < N; i++) weighted[weightedIndex(rng, [1, 0, 3])]++;
    expect(weighted[1]).toBe(0);
    expect(Math.abs(weighted[0] - N / 4)).toBeLessThan(5 * Math.sqrt(N * 0.25 * 0.75));
  });
});
