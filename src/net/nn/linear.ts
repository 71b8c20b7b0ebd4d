import { add, flip, gather, gelu, gemm, matMul, mul, reshape, slice } from "../graph/build.ts";
import { knownSize, multiplyDims } from "../graph/dim.ts";
import type { Sym } from "../graph/sym.ts";
import type { Activation } from "./activation.ts";

/** A dense layer as PyTorch stores it: weight [out, in], bias [out]. */
export interface Linear {
  readonly weight: Sym;
  /** True for a weight [in, out], as GPT-2 stores it. */
  readonly inputsFirst?: boolean;
  readonly bias?: Sym | undefined;
  /** Low-rank update of the weight in fine-tuning. */
  readonly adapter?: LowRank | undefined;
}

/**
 * x·Wᵀ + b over the last axis: [..., in] → [..., out]. One `Gemm` on the flattened rows, without transposing
 * the weight.
 */
export function linear({ weight, inputsFirst = false, bias, adapter }: Linear, x: Sym): Sym {
  const leading = x.shape.slice(0, -1);
  const rows = reshape(x, [multiplyDims(...leading), x.shape.at(-1)!]);
  const plain = gemm(rows, weight, bias, { transB: !inputsFirst });
  const y = adapter === undefined ? plain : addLowRank(adapter, rows, plain);
  return reshape(y, [...leading, weight.shape[inputsFirst ? 1 : 0]]);
}

/**
 * Splits dense layers of one input that are stored as one, their rows block after block. Their outputs equal
 * a split of the joint output, without copying it.
 */
export function rowBlocks({ weight, bias, adapter }: Linear, blocks: number): readonly Linear[] {
  const rows = knownSize(weight.shape[0], "the rows of a dense layer") / blocks;
  const block = (x: Sym, i: number) => slice(x, 0, i * rows, (i + 1) * rows);
  return Array.from({ length: blocks }, (_, i) => ({
    weight: block(weight, i),
    bias: bias && block(bias, i),
    adapter: adapter && { ...adapter, b: block(adapter.b, i) },
  }));
}

/** The layer for inputs with features in reverse order. */
export function withInputsReversed({ weight, bias, adapter }: Linear): Linear {
  return {
    weight: flip(weight, 1),
    bias,
    adapter: adapter && { ...adapter, a: flip(adapter.a, 1), mask: adapter.mask && flip(adapter.mask, 1) },
  };
}

/** The layer with its outputs in reverse order. */
export function withOutputsReversed({ weight, bias, adapter }: Linear): Linear {
  return {
    weight: flip(weight, 0),
    bias: bias && flip(bias, 0),
    adapter: adapter && { ...adapter, b: flip(adapter.b, 0) },
  };
}

/**
 * Two dense layers. In the gated form the output of the first is twice as wide as the input of the second.
 */
export interface FeedForward {
  readonly inner: Linear;
  readonly outer: Linear;
}

/** W₂·f(W₁·x); f is the exact GELU if absent.  [..., d] → [..., d] */
export const feedForward = ({ inner, outer }: FeedForward, x: Sym, activation: Activation = gelu) =>
  linear(outer, activation(linear(inner, x)));

/**
 * W₂·(f(a) ⊙ b), where a and b are the first and the second half of W₁·x: a gated linear unit with f = GELU
 * (GEGLU) or SiLU (SwiGLU) (Shazeer 2020, arXiv:2002.05202, eq. 6).  [..., d] → [..., d]
 *
 * @param drop  dropout of the product before W₂
 */
export function gatedFeedForward(
  { inner, outer }: FeedForward,
  x: Sym,
  activation: Activation,
  drop = (product: Sym) => product,
): Sym {
  const [a, b] = rowBlocks(inner, 2) as readonly [Linear, Linear];
  return linear(outer, drop(mul(activation(linear(a, x)), linear(b, x))));
}

/**
 * LoRA update of a frozen weight: scale times the product of two thin factors (Hu et al. 2021,
 * arXiv:2106.09685). The layout of the factors is that of minLoRA; those of an embedding are exchanged.
 */
export interface LowRank {
  /** [rank, in] of a dense or convolution weight; [rows, rank] of an embedding */
  readonly a: Sym;
  /** [out, rank] of a dense or convolution weight; [rank, width] of an embedding */
  readonly b: Sym;
  readonly scale: number;
  /**
   * Feature dropout: 0 or 1/(1 − p) per input feature, [1, in], or per row of an embedding, [rows, 1]. One
   * mask for all tokens of all sequences, as in minLoRA. Absent outside training.
   */
  readonly mask?: Sym | undefined;
}

/** A ⊙ m */
const maskedFactor = ({ a, mask }: LowRank): Sym => (mask === undefined ? a : mul(a, mask));

/**
 * y + scale · (x·(A ⊙ m)ᵀ)·Bᵀ, without computing the full update of the weight.  x: [n, in], y: [n, out] →
 * [n, out]
 */
function addLowRank(adapter: LowRank, x: Sym, y: Sym): Sym {
  const thin = mul(gemm(x, maskedFactor(adapter), undefined, { transB: true }), adapter.scale); // [n, rank]
  return gemm(thin, adapter.b, y, { transB: true });
}

/** Low-rank update of rows of an embedding: scale · rows(A ⊙ m)·B.  [..., width] */
function lowRankRows(adapter: LowRank, rows: (table: Sym) => Sym): Sym {
  return matMul(mul(rows(maskedFactor(adapter)), adapter.scale), adapter.b);
}

/** scale · B·(A ⊙ m) in the shape of the weight, for weights that are small compared with their inputs. */
export function lowRankUpdate(adapter: LowRank, shape: Sym["shape"]): Sym {
  return reshape(mul(matMul(adapter.b, maskedFactor(adapter)), adapter.scale), shape);
}

/** An embedding table, one vector per id. */
export interface Embedding {
  /** [rows, width] */
  readonly weight: Sym;
  readonly adapter?: LowRank | undefined;
}

/** Vectors of ids: integers of any shape → [..., width] */
export const embed = (table: Embedding, ids: Sym): Sym => rowsOf(table, (x) => gather(x, ids));

/** Rows of the table, selected by any op. */
export function rowsOf({ weight, adapter }: Embedding, pick: (table: Sym) => Sym): Sym {
  const rows = pick(weight);
  return adapter === undefined ? rows : add(rows, lowRankRows(adapter, pick));
}
