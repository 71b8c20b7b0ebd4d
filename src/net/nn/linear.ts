import { add, flip, gather, gelu, gemm, matMul, mul, reshape, slice } from "../graph/build.ts";
import { knownSize, multiplyDims } from "../graph/dim.ts";
import type { Sym } from "../graph/sym.ts";
import type { Activation } from "./activation.ts";

/** A dense layer as PyTorch stores it: weight [out, in], bias [out]. */
export interface Linear {
  readonly weight: Sym;
  /** True if the weight is stored as [in, out], as in GPT-2. */
  readonly inputsFirst?: boolean;
  readonly bias?: Sym | undefined;
  /** LoRA update of the weight. */
  readonly adapter?: LowRank | undefined;
}

/**
 * x·Wᵀ + b over the last axis.  x: [..., in] → [..., out]
 *
 * One `Gemm` on the flattened rows, which does not transpose the weight in memory.
 */
export function linear({ weight, inputsFirst = false, bias, adapter }: Linear, x: Sym): Sym {
  const leading = x.shape.slice(0, -1);
  const rows = reshape(x, [multiplyDims(...leading), x.shape[x.shape.length - 1]]);
  const plain = gemm(rows, weight, bias, { transB: !inputsFirst });
  const y = adapter === undefined ? plain : addLowRank(adapter, rows, plain);
  return reshape(y, [...leading, weight.shape[inputsFirst ? 1 : 0]]);
}

/**
 * Splits a dense layer into `blocks` layers by consecutive blocks of output features: the layers' outputs are
 * a split of the output, without copying it.
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

/** The layer whose input features are in reverse order: the columns of the weight are reversed. */
export function withInputsReversed({ weight, bias, adapter }: Linear): Linear {
  return {
    weight: flip(weight, 1),
    bias,
    adapter: adapter && { ...adapter, a: flip(adapter.a, 1), mask: adapter.mask && flip(adapter.mask, 1) },
  };
}

/** The layer whose output features are in reverse order: the rows of the weight and the bias are reversed. */
export function withOutputsReversed({ weight, bias, adapter }: Linear): Linear {
  return {
    weight: flip(weight, 0),
    bias: bias && flip(bias, 0),
    adapter: adapter && { ...adapter, b: flip(adapter.b, 0) },
  };
}

/**
 * The two dense layers of a feed-forward network. If it is gated, the first outputs the gate and the input of
 * the second.
 */
export interface FeedForward {
  readonly inner: Linear;
  readonly outer: Linear;
}

/** W₂·f(W₁·x); f is the exact GELU by default.  x: [..., d] → the same */
export const feedForward = ({ inner, outer }: FeedForward, x: Sym, activation: Activation = gelu) =>
  linear(outer, activation(linear(inner, x)));

/**
 * W₂·(f(a) ⊙ b) with (a, b) = W₁·x: GEGLU with f = GELU, SwiGLU with f = SiLU (Shazeer 2020,
 * arXiv:2002.05202, eq. 6).  x: [..., d] → the same
 *
 * @param drop  dropout of f(a) ⊙ b
 */
export function gatedFeedForward(
  { inner, outer }: FeedForward,
  x: Sym,
  activation: Activation,
  drop = (product: Sym) => product,
): Sym {
  const [a, b] = rowBlocks(inner, 2);
  return linear(outer, drop(mul(activation(linear(a, x)), linear(b, x))));
}

/**
 * LoRA factors of a frozen weight W: W + scale · B·A (Hu et al. 2021, arXiv:2106.09685), for an embedding
 * W + scale · A·B, as in minLoRA.
 */
export interface LowRank {
  /** [rank, in] of a dense or convolution weight; [rows, rank] of an embedding */
  readonly a: Sym;
  /** [out, rank] of a dense or convolution weight; [rank, width] of an embedding */
  readonly b: Sym;
  readonly scale: number;
  /**
   * Dropout mask of A in training, 0 or 1/(1 − p): per input feature, [1, in], or per row of an embedding,
   * [rows, 1]. As in minLoRA, one mask applies to all tokens of all sequences.
   */
  readonly mask?: Sym | undefined;
}

/** A ⊙ m */
const maskedFactor = ({ a, mask }: LowRank): Sym => (mask === undefined ? a : mul(a, mask));

/**
 * y + scale · (x·(A ⊙ m)ᵀ)·Bᵀ, which avoids the full update B·A.  x: [n, in], y: [n, out] → [n, out]
 */
function addLowRank(adapter: LowRank, x: Sym, y: Sym): Sym {
  const projected = gemm(x, maskedFactor(adapter), undefined, { transB: true }); // [n, rank]
  return gemm(mul(projected, adapter.scale), adapter.b, y, { transB: true });
}

/** Update of rows of an embedding, scale · rows(A ⊙ m)·B: [..., width] */
function lowRankRows(adapter: LowRank, rows: (table: Sym) => Sym): Sym {
  return matMul(mul(rows(maskedFactor(adapter)), adapter.scale), adapter.b);
}

/**
 * The full update scale · B·(A ⊙ m), reshaped to the weight's shape: for weights smaller than their inputs.
 */
export function lowRankUpdate(adapter: LowRank, shape: Sym["shape"]): Sym {
  return reshape(mul(matMul(adapter.b, maskedFactor(adapter)), adapter.scale), shape);
}

/** An embedding table: one row per id. */
export interface Embedding {
  /** [rows, width] */
  readonly weight: Sym;
  readonly adapter?: LowRank | undefined;
}

/** E[ids].  ids: integers [...] → [..., width] */
export const embed = (embedding: Embedding, ids: Sym): Sym =>
  selectRows(embedding, (table) => gather(table, ids));

/** Rows that `pick` selects from the table [rows, width], with the LoRA update of these rows. */
export function selectRows({ weight, adapter }: Embedding, pick: (table: Sym) => Sym): Sym {
  const rows = pick(weight);
  return adapter === undefined ? rows : add(rows, lowRankRows(adapter, pick));
}
