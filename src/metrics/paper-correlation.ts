import { requirePairs } from "./correlation.ts";
import { ordinalRanks } from "./ranks.ts";

const { fround } = Math;

/**
 * Pearson's correlation as the original computes it for Task 4: in float32 throughout, 0 where it is
 * undefined. For comparison with published numbers; report `pearson`.
 *
 * Rounds after every operation and sums by halves, as PyTorch does in an order that depends on the device:
 * summed in row order, hundreds of thousands of rows, many of them equal, would change the fourth digit. The
 * last digits differ from the original's (by about 1e-7 for hundreds of rows). May exceed 1 by rounding.
 *
 * @param predicted  log(1 + counts) as predicted
 * @param target     log(1 + counts) as measured
 * @throws {InputError} when lengths differ or a value is not finite
 */
export function paperPearson(predicted: ArrayLike<number>, target: ArrayLike<number>): number {
  requirePairs(predicted, target);
  const a = centredFloat32(predicted);
  const b = centredFloat32(target);
  const product = dotFloat32(a, b);
  const r = fround(product / fround(Math.sqrt(fround(dotFloat32(a, a) * dotFloat32(b, b)))));
  return Number.isNaN(r) ? 0 : r;
}

/**
 * Spearman's correlation as the original computes it for language models in Task 4 (quirk Q18): equal values
 * get consecutive ranks instead of sharing their mean, followed by `paperPearson`. Many non-peaks have a
 * count of 0, so the original's result depends on the order of the rows; here equal values are ranked in row
 * order.
 *
 * @throws {InputError} when lengths differ or a value is not finite
 */
export function paperSpearman(predicted: ArrayLike<number>, target: ArrayLike<number>): number {
  requirePairs(predicted, target);
  return paperPearson(ordinalRanks(predicted), ordinalRanks(target));
}

function centredFloat32(values: ArrayLike<number>): Float32Array {
  const floats = Float32Array.from(values);
  const centre = fround(sumFloat32(floats) / floats.length);
  return floats.map((value) => value - centre);
}

const dotFloat32 = (a: Float32Array, b: Float32Array) => sumFloat32(a.map((value, i) => value * b[i]));

/** Numbers that are added one after another. */
const RUN = 16;

function sumFloat32(values: Float32Array): number {
  if (values.length <= RUN) return values.reduce((sum, value) => fround(sum + value), 0);
  const half = values.length >> 1;
  return fround(sumFloat32(values.subarray(0, half)) + sumFloat32(values.subarray(half)));
}
