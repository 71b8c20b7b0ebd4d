import type { Pcg64 } from "../../base/pcg64.ts";
import { integerBelow, normal } from "../../base/random.ts";

/** Uniform integer in [low, high]. */
export function integerIn(rng: Pcg64, [low, high]: readonly [number, number]): number {
  return low + integerBelow(rng, high - low + 1);
}

/** Index into `weights`, drawn with probability proportional to its weight. */
export function weightedIndex(rng: Pcg64, weights: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += weights[i];
  let left = rng.nextFloat64() * sum;
  for (let i = 0; i < weights.length - 1; i++) {
    left -= weights[i];
    if (left < 0) return i;
  }
  return weights.length - 1;
}

/** Exponential variate. */
export function exponential(rng: Pcg64, mean: number): number {
  return -mean * Math.log(1 - rng.nextFloat64());
}

/**
 * Poisson variate (Knuth's product of uniforms, split into terms of mean 16 so that exp does not underflow).
 */
export function poisson(rng: Pcg64, mean: number): number {
  let count = 0;
  for (let left = mean; left > 0; left -= 16) {
    const limit = Math.exp(-Math.min(left, 16));
    for (let product = rng.nextFloat64(); product > limit; product *= rng.nextFloat64()) count++;
  }
  return count;
}

/** Gamma variate of mean 1 and variance 1 / shape, for a shape of 1 or more. Marsaglia & Tsang 2000. */
export function gammaOfMeanOne(rng: Pcg64, shape: number): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(rng);
    const root = 1 + c * x;
    if (root <= 0) continue;
    const v = root * root * root;
    if (Math.log(1 - rng.nextFloat64()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return (d * v) / shape;
  }
}
