import type { Estimate } from "./estimate.ts";
import { percentiles } from "./quantiles.ts";
import { mean } from "./sum.ts";

/**
 * Mean of one score over many seeds, with the spread that the original reports for the clustering of Task 3: mean ± the
 * larger distance to the 2.5 % and 97.5 % quantiles of the scores.
 *
 * It tells how much the score depends on the random start, and nothing about other rows or other genomes: not a confidence
 * interval of what the model can do.
 *
 * @param scores  one per seed
 * @returns       n is the number of seeds; NaN throughout without one; method "seed-spread"
 * @throws {InputError} when a score is not finite
 */
export function seedSpread(scores: ArrayLike<number>): Estimate {
  const [low, high] = percentiles(scores, [2.5, 97.5]) as [number, number];
  const value = mean(scores);
  const half = Math.max(Math.abs(value - low), Math.abs(value - high));
  return { value, low: value - half, high: value + half, n: scores.length, method: "seed-spread" };
}
