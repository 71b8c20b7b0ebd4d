import { gemm, reshape, slice } from "../graph/build.ts";
import { knownSize, multiplyDims } from "../graph/dim.ts";
import type { Sym } from "../graph/sym.ts";

/** A dense layer as PyTorch stores it: weight [out, in], bias [out]. */
export interface Linear {
  readonly weight: Sym;
  readonly bias?: Sym | undefined;
}

/** x·Wᵀ + b over the last axis: [..., in] → [..., out]. One `Gemm` on the flattened rows, the weight used as it lies. */
export function linear({ weight, bias }: Linear, x: Sym): Sym {
  const leading = x.shape.slice(0, -1);
  const rows = reshape(x, [multiplyDims(...leading), x.shape.at(-1)!]);
  return reshape(gemm(rows, weight, bias, { transB: true }), [...leading, weight.shape[0]!]);
}

/**
 * Several dense layers of one input that are stored as one, their rows block after block. Applied one by one they give
 * what a split of the whole would, without copying it.
 */
export function rowBlocks({ weight, bias }: Linear, blocks: number): readonly Linear[] {
  const rows = knownSize(weight.shape[0]!, "the rows of a dense layer") / blocks;
  const block = (x: Sym, i: number) => slice(x, 0, i * rows, (i + 1) * rows);
  return Array.from({ length: blocks }, (_, i) => ({
    weight: block(weight, i),
    bias: bias && block(bias, i),
  }));
}
