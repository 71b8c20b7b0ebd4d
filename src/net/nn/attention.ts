import {
  add,
  and,
  cast,
  expand,
  greater,
  lessOrEqual,
  matMul,
  mul,
  range,
  reshape,
  scalar,
  softmax,
  sub,
  swapLast,
  transpose,
  unsqueeze,
  where,
} from "../graph/build.ts";
import { type Dim, knownSize, multiplyDims } from "../graph/dim.ts";
import type { Sym } from "../graph/sym.ts";
import type { Queries } from "./queries.ts";

// axes: b batch · t tokens · q queries · h heads · c width of a head

/** Splits the last axis into heads of consecutive columns: [b, t, h·c] → [b, h, t, c] */
export function splitHeads(x: Sym, heads: number): Sym {
  const [batch, tokens, width] = x.shape;
  const headWidth = knownSize(width, "the width of attention") / heads;
  return transpose(reshape(x, [batch, tokens, heads, headWidth]), [0, 2, 1, 3]);
}

/** Inverse of `splitHeads`: [b, h, q, c] → [b, q, h·c] */
export function mergeHeads(x: Sym): Sym {
  const [batch, heads, queries, headWidth] = x.shape;
  const width = knownSize(heads, "the number of heads") * knownSize(headWidth, "the width of a head");
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, queries, width]);
}

/**
 * Scaled dot-product attention: softmax(Q·Kᵀ / √c + bias)·V (Vaswani et al. 2017, arXiv:1706.03762, eq. 1).
 *
 * @param q     [b, h, q, c]
 * @param k     [b, h, t, c]
 * @param v     [b, h, t, c]
 * @param bias  added to the scores, broadcast to [b, h, q, t]: masks, distances
 * @param drop  dropout of the attention weights, [b, h, q, t]
 * @returns     [b, h, q, c]
 */
export function attention(q: Sym, k: Sym, v: Sym, bias?: Sym, drop = (weights: Sym) => weights): Sym {
  const headWidth = knownSize(q.shape[3], "the width of a head");
  const scores = mul(matMul(q, swapLast(k)), 1 / Math.sqrt(headWidth)); // [b, h, q, t]
  return matMul(drop(softmax(bias === undefined ? scores : add(scores, bias))), v);
}

/**
 * Attention bias that is 0 for tokens and `value` for padding.  mask: [b, t], 1 for a token → [b, 1, 1, t]
 */
export function paddingBias(mask: Sym, value: number): Sym {
  const [batch, tokens] = mask.shape;
  return reshape(mul(sub(1, mask), value), [batch, 1, 1, tokens]);
}

/** The lowest finite float32: the attention bias of masked tokens in most models. */
export const LOWEST = -3.4028234663852886e38;

// axes: b batch (or 1) · h heads · q queries · t tokens · c width of a head

/** Tokens that causal attention masks in addition to later ones. */
export interface CausalMask {
  /** float32 [b, t], 1 for a token and 0 for padding; absent if there is no padding. */
  readonly mask?: Sym | undefined;
  /** Sliding window: number of tokens that a token attends to, itself included; no limit if absent. */
  readonly window?: number | undefined;
}

/**
 * Attention bias that masks later tokens, padding and tokens before the sliding window: 0 where a query
 * attends, the lowest float32 where it does not.
 *
 * @returns [b, 1, q, t]
 */
export function causalBias({ positions }: Queries, tokens: Dim, { mask, window }: CausalMask): Sym {
  const distance = sub(unsqueeze(positions, 2), cast(range(tokens), "float32")); // query − token, [b, q, t]
  const conditions = [
    lessOrEqual(scalar(0), distance),
    ...(window === undefined ? [] : [lessOrEqual(distance, window - 1)]),
    ...(mask === undefined ? [] : [greater(unsqueeze(mask, 1), 0)]),
  ];
  return unsqueeze(where(conditions.reduce(and), scalar(0), LOWEST), 1);
}

/**
 * Repeats each head of keys or values for the consecutive query heads that share it, as grouped-query
 * attention requires (Ainslie et al. 2023, arXiv:2305.13245).  [b, h, t, c] → [b, h·times, t, c]
 */
export function repeatHeads(x: Sym, times: number): Sym {
  const [batch, heads, tokens, width] = x.shape;
  const copies = expand(unsqueeze(x, 2), [batch, heads, times, tokens, width]);
  return reshape(copies, [batch, multiplyDims(heads, times), tokens, width]);
}
