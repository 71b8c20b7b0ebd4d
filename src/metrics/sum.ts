/** Up to this many numbers are added in eight running sums; more are halved first. */
const BLOCK = 128;

/**
 * Sum of the numbers by pairwise summation, in the order NumPy adds a contiguous float64 array: the same to the last bit,
 * so that means and all that follows from them round as the reference's do. The error grows with log n, not with n.
 *
 * @returns  0 without numbers
 */
export function sum(values: ArrayLike<number>): number {
  return sumOf(values, 0, values.length);
}

/** Arithmetic mean as `numpy.mean` rounds it; NaN without numbers. */
export function mean(values: ArrayLike<number>): number {
  return sum(values) / values.length;
}

function sumOf(values: ArrayLike<number>, start: number, count: number): number {
  if (count > BLOCK) {
    const half = Math.floor(count / 2);
    const left = half - (half % 8);
    return sumOf(values, start, left) + sumOf(values, start + left, count - left);
  }
  let total = 0;
  let i = 0;
  if (count >= 8) {
    const sums = Float64Array.from({ length: 8 }, (_, k) => values[start + k]!);
    for (i = 8; i + 8 <= count; i += 8) for (let k = 0; k < 8; k++) sums[k]! += values[start + i + k]!;
    const [a, b, c, d, e, f, g, h] = sums as unknown as number[];
    total = a! + b! + (c! + d!) + (e! + f! + (g! + h!));
  }
  for (; i < count; i++) total += values[start + i]!;
  return total;
}
