import { flip, gemm, reshape, slice } from "../graph/build.ts";
import { knownSize, multiplyDims } from "../graph/dim.ts";
import type { Sym } from "../graph/sym.ts";
import type { LowRank } from "./low-rank.ts";
import { addLowRank } from "./low-rank.ts";

/** A dense layer as PyTorch stores it: weight [out, in], bias [out]. */
export interface Linear {
  readonly weight: Sym;
  readonly bias?: Sym | undefined;
  /** What fine-tuning adds to the weight. */
  readonly adapter?: LowRank | undefined;
}

/** x·Wᵀ + b over the last axis: [..., in] → [..., out]. One `Gemm` on the flattened rows, the weight used as it lies. */
export function linear({ weight, bias, adapter }: Linear, x: Sym): Sym {
  const leading = x.shape.slice(0, -1);
  const rows = reshape(x, [multiplyDims(...leading), x.shape.at(-1)!]);
  const plain = gemm(rows, weight, bias, { transB: true });
  const y = adapter === undefined ? plain : addLowRank(adapter, rows, plain);
  return reshape(y, [...leading, weight.shape[0]!]);
}

/**
 * Several dense layers of one input that are stored as one, their rows block after block. Applied one by one they give
 * what a split of the whole would, without copying it.
 */
export function rowBlocks({ weight, bias, adapter }: Linear, blocks: number): readonly Linear[] {
  const rows = knownSize(weight.shape[0]!, "the rows of a dense layer") / blocks;
  const block = (x: Sym, i: number) => slice(x, 0, i * rows, (i + 1) * rows);
  return Array.from({ length: blocks }, (_, i) => ({
    weight: block(weight, i),
    bias: bias && block(bias, i),
    adapter: adapter && { ...adapter, b: block(adapter.b, i) },
  }));
}

/** The layer for inputs whose features stand in reverse order. */
export function withInputsReversed({ weight, bias, adapter }: Linear): Linear {
  return {
    weight: flip(weight, 1),
    bias,
    adapter: adapter && { ...adapter, a: flip(adapter.a, 1), mask: adapter.mask && flip(adapter.mask, 1) },
  };
}

/** The layer that gives its outputs in reverse order. */
export function withOutputsReversed({ weight, bias, adapter }: Linear): Linear {
  return {
    weight: flip(weight, 0),
    bias: bias && flip(bias, 0),
    adapter: adapter && { ...adapter, b: flip(adapter.b, 0) },
  };
}
