import { gemm, matMul, mul, reshape } from "../graph/build.ts";
import type { Sym } from "../graph/sym.ts";

/**
 * What LoRA adds to a frozen weight: scale times the product of two thin factors (Hu et al. 2021, arXiv:2106.09685). The
 * factors lie as minLoRA has them; those of an embedding are exchanged.
 */
export interface LowRank {
  /** [rank, in] of a dense or convolution weight; [rows, rank] of an embedding */
  readonly a: Sym;
  /** [out, rank] of a dense or convolution weight; [rank, width] of an embedding */
  readonly b: Sym;
  readonly scale: number;
  /**
   * Feature dropout: 0 or 1/(1 − p) for each input feature, [1, in], or for each row of an embedding, [rows, 1]. One mask for
   * all tokens of all sequences, as minLoRA draws it. Absent outside training.
   */
  readonly mask?: Sym | undefined;
}

/** A ⊙ m */
const maskedFactor = ({ a, mask }: LowRank): Sym => (mask === undefined ? a : mul(a, mask));

/** y + scale · (x·(A ⊙ m)ᵀ)·Bᵀ: the full update of the weight is never made.  x: [n, in], y: [n, out] → [n, out] */
export function addLowRank(adapter: LowRank, x: Sym, y: Sym): Sym {
  const thin = mul(gemm(x, maskedFactor(adapter), undefined, { transB: true }), adapter.scale); // [n, rank]
  return gemm(thin, adapter.b, y, { transB: true });
}

/** The same for rows of an embedding: scale · rows(A ⊙ m)·B.  [..., width] */
export function lowRankRows(adapter: LowRank, rows: (table: Sym) => Sym): Sym {
  return matMul(mul(rows(maskedFactor(adapter)), adapter.scale), adapter.b);
}

/** scale · B·(A ⊙ m) in the shape of the weight, for weights that are small beside what they are applied to. */
export function lowRankUpdate(adapter: LowRank, shape: Sym["shape"]): Sym {
  return reshape(mul(matMul(adapter.b, maskedFactor(adapter)), adapter.scale), shape);
}
