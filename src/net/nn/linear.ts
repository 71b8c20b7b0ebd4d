import { gemm, reshape } from "../graph/build.ts";
import { multiplyDims } from "../graph/dim.ts";
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
