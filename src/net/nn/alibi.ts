import { abs, cast, constant, mul, range, sub, unsqueeze } from "../graph/build.ts";
import type { Dim } from "../graph/dim.ts";
import type { Sym } from "../graph/sym.ts";

// axes: b batch (or 1) · h heads · q queries · t tokens

/**
 * How fast attention falls with distance in each head: 2^(−8/n), 2^(−16/n), … for n heads when n is a power of two. Else
 * the slopes of the next lower power of two, then every second slope of twice that number.
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
 * −slope · |i − j| for every query i and token j: attention with linear biases, the symmetric form of encoders.
 *
 * @param places  of the queries: float32 [b, q]
 * @returns       [b, h, q, t]
 */
export function alibi(heads: number, places: Sym, tokens: Dim): Sym {
  const distances = abs(sub(unsqueeze(places, 2), cast(range(tokens), "float32"))); // [b, q, t]
  const slopes = Float32Array.from(alibiSlopes(heads), (slope) => -slope);
  return mul(unsqueeze(distances, 1), constant({ dtype: "float32", shape: [heads, 1, 1], data: slopes }));
}
