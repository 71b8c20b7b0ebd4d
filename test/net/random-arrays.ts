import { Pcg64 } from "../../src/base/pcg64.ts";
import { normal } from "../../src/base/random.ts";
import type { NdArray } from "../../src/net/arrays/array.ts";
import type { Values } from "./graph/reference.ts";

/** Generator of arrays with standard normal values in float64. */
export function randomValues(seed: number): (shape: readonly number[]) => Values {
  const rng = new Pcg64(seed);
  return (shape) => ({
    shape,
    data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => normal(rng)),
  });
}

/** `randomValues`, rounded to float32. */
export function randomArrays(seed: number): (shape: readonly number[]) => NdArray<"float32"> {
  const random = randomValues(seed);
  return (shape) => ({ dtype: "float32", shape, data: Float32Array.from(random(shape).data) });
}
