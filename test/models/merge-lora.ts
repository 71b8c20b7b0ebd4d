import { InternalError } from "../../src/base/errors.ts";
import type { NdArray } from "../../src/net/arrays/array.ts";
import { formatShape } from "../../src/net/arrays/array.ts";

/**
 * The two factors of one adapted weight. Those of embeddings are swapped, so that a tied dense layer could
 * share them.
 */
export interface LoraFactors {
  /** [rank, in] of a dense or convolution weight; [rows, rank] of an embedding */
  readonly a: NdArray;
  /** [out, rank] of a dense or convolution weight; [rank, width] of an embedding */
  readonly b: NdArray;
}

/**
 * W + scale · (low-rank product), in the shape of W: B·A for dense and convolution weights, with the axes
 * after the first flattened, and A·B for embeddings (Hu et al. 2021, arXiv:2106.09685; layout of minLoRA).
 *
 * @throws {InternalError} when the factors do not fit the weight
 */
export function mergeLora(
  weight: NdArray,
  { a, b }: LoraFactors,
  { scale, layer }: { readonly scale: number; readonly layer: "linear" | "convolution" | "embedding" },
): NdArray {
  const [left, right] = layer === "embedding" ? [a, b] : [b, a];
  const rows = weight.shape[0];
  const columns = weight.data.length / rows;
  const rank = left.shape[1];
  if (left.shape[0] !== rows || right.shape[0] !== rank || right.shape[1] !== columns) {
    throw new InternalError(
      `LoRA factors ${formatShape(a.shape)} and ${formatShape(b.shape)} do not fit ${formatShape(weight.shape)}`,
    );
  }
  const w = weight.data as Float32Array;
  const l = left.data as Float32Array;
  const r = right.data as Float32Array;
  const data = Float32Array.from(w, (value, at) => {
    const row = Math.floor(at / columns);
    const column = at % columns;
    let update = 0;
    for (let k = 0; k < rank; k++) update += l[row * rank + k] * r[k * columns + column];
    return value + scale * update;
  });
  return { dtype: "float32", shape: weight.shape, data };
}
