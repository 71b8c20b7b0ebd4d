import type { NdArray } from "../../src/net/arrays/array.ts";

/**
 * Weights of the model specifications' tiny models, exact in float32 without a random generator: with
 * r_i = (31·i² + 17·s·i + 13·s² + 7·s) mod 257 for i = 1…N, element i is centre + amplitude·(r_i/128 − 1).
 */
export function goldenArray(shape: readonly number[], seed: number, amplitude: number, centre = 0): NdArray {
  const count = shape.reduce((product, size) => product * size, 1);
  const offset = 13 * seed * seed + 7 * seed;
  const data = Float32Array.from({ length: count }, (_, at) => {
    const i = at + 1;
    const r = Number((31n * BigInt(i) * BigInt(i) + BigInt(17 * seed) * BigInt(i) + BigInt(offset)) % 257n);
    return centre + amplitude * (r / 128 - 1);
  });
  return { dtype: "float32", shape, data };
}

/** Golden values of a tensor: sum, sum of squares, first and last values. */
export interface GoldenTensor {
  readonly sum: number;
  readonly squares: number;
  readonly first: readonly number[];
  readonly last?: readonly number[];
}

/** Largest deviation of a tensor from its golden values; sums are taken relative to the number of values. */
export function deviation(array: NdArray, golden: GoldenTensor): number {
  const values = Array.from(array.data as Float32Array);
  const sum = values.reduce((total, value) => total + value, 0);
  const squares = values.reduce((total, value) => total + value * value, 0);
  const pointwise = [
    ...golden.first.map((value, i) => Math.abs(value - values[i])),
    ...(golden.last ?? []).map((value, i, all) => Math.abs(value - values[values.length - all.length + i])),
  ];
  const scale = Math.sqrt(values.length);
  return Math.max(
    ...pointwise,
    Math.abs(sum - golden.sum) / scale,
    Math.abs(squares - golden.squares) / Math.max(scale, golden.squares),
  );
}
