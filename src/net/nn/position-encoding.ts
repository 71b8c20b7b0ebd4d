import {
  abs,
  add,
  cast,
  concat,
  constant,
  cos,
  mul,
  range,
  sin,
  split,
  sub,
  unsqueeze,
} from "../graph/build.ts";
import { type Dim, knownSize } from "../graph/dim.ts";
import type { Sym } from "../graph/sym.ts";

// axes: b batch (or 1) · h heads · t tokens (or queries) · c width of a head

/** Cosines and sines of the rotation angles of tokens: each [b, 1, t, c/2]. */
export interface RotaryAngles {
  readonly cos: Sym;
  readonly sin: Sym;
}

/** θⱼ = base^(−2j/c), j = 0 … c/2 − 1: radians per position by which each pair of columns rotates. */
export function rotaryFrequencies(headWidth: number, base = 10_000): Float32Array {
  return Float32Array.from({ length: headWidth / 2 }, (_, j) => base ** ((-2 * j) / headWidth));
}

/**
 * Cosines and sines of θ·position.
 *
 * @param positions    float32 [b, t]
 * @param frequencies  θ, [c/2]
 * @returns            [b, 1, t, c/2]
 */
export function rotaryAnglesAt(positions: Sym, frequencies: Sym): RotaryAngles {
  const angles = unsqueeze(mul(unsqueeze(positions, 2), frequencies), 1);
  return { cos: cos(angles), sin: sin(angles) };
}

/**
 * Rotates each pair of columns (j, j + c/2) by the angle of its token (Su et al. 2021, arXiv:2104.09864, eq.
 * 34, with the pairs taken from the two halves of the head).  x: [b, h, t, c] → [b, h, t, c]
 */
export function applyRotary(x: Sym, { cos, sin }: RotaryAngles): Sym {
  const half = knownSize(x.shape[3], "the width of a head") / 2;
  const [a, b] = split(x, -1, [half, half]);
  return concat([sub(mul(a, cos), mul(b, sin)), add(mul(b, cos), mul(a, sin))], -1);
}

// axes: b batch (or 1) · h heads · q queries · t tokens

/**
 * Slopes of ALiBi per head: 2^(−8/n), 2^(−16/n), … for n heads if n is a power of two. Otherwise the slopes
 * of the next lower power of two, then every second slope of twice that power.
 *
 * @see Press et al. 2022, arXiv:2108.12409, section 3
 */
export function alibiSlopes(heads: number): readonly number[] {
  const power = 2 ** Math.floor(Math.log2(heads));
  const geometric = (n: number) => Array.from({ length: n }, (_, i) => 2 ** ((-8 * (i + 1)) / n));
  const between = geometric(2 * power).filter((_, i) => i % 2 === 0);
  return [...geometric(power), ...between.slice(0, heads - power)];
}

/**
 * Attention bias of ALiBi in the symmetric form of encoders: −slope · |i − j| for query i and token j.
 *
 * @param positions  of the queries: float32 [b, q]
 * @returns          [b, h, q, t]
 */
export function alibi(heads: number, positions: Sym, tokens: Dim): Sym {
  const distances = abs(sub(unsqueeze(positions, 2), cast(range(tokens), "float32"))); // [b, q, t]
  const slopes = Float32Array.from(alibiSlopes(heads), (slope) => -slope);
  return mul(unsqueeze(distances, 1), constant({ dtype: "float32", shape: [heads, 1, 1], data: slopes }));
}
