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

/** [b, t, h·c] → [b, h, t, c]; the columns of a head are contiguous. */
export function splitHeads(x: Sym, heads: number): Sym {
  const [batch, tokens, width] = x.shape;
  const headWidth = knownSize(width!, "the width of attention") / heads;
  return transpose(reshape(x, [batch!, tokens!, heads, headWidth]), [0, 2, 1, 3]);
}

/** [b, h, q, c] → [b, q, h·c] */
export function mergeHeads(x: Sym): Sym {
  const [batch, heads, queries, headWidth] = x.shape;
  const width = knownSize(heads!, "the number of heads") * knownSize(headWidth!, "the width of a head");
  return reshape(transpose(x, [0, 2, 1, 3]), [batch!, queries!, width]);
}

/**
 * softmax(Q·Kᵀ / √c + bias) · V (Vaswani et al. 2017, arXiv:1706.03762, eq. 1).
 *
 * @param q     [b, h, q, c]
 * @param k     [b, h, t, c]
 * @param v     [b, h, t, c]
 * @param bias  broadcasts to [b, h, q, t]: padding, distances
 * @param drop  dropout of the weights, [b, h, q, t]
 * @returns     [b, h, q, c]
 */
export function attention(q: Sym, k: Sym, v: Sym, bias?: Sym, drop = (weights: Sym) => weights): Sym {
  const headWidth = knownSize(q.shape[3], "the width of a head");
  const scores = mul(matMul(q, swapLast(k)), 1 / Math.sqrt(headWidth));
  return matMul(drop(softmax(bias === undefined ? scores : add(scores, bias))), v);
}

/** Attention bias of padding: 0 for a token, `value` for padding.  mask: [b, t] → [b, 1, 1, t] */
export function paddingBias(mask: Sym, value: number): Sym {
  const [batch, tokens] = mask.shape;
  return reshape(mul(sub(1, mask), value), [batch!, 1, 1, tokens!]);
}

/** The lowest finite float32, the attention bias of padding in most models. */
export const LOWEST = -3.4028234663852886e38;

// axes: b batch (or 1) · h heads · q queries · t tokens · c width of a head

export interface CausalMask {
  /** float32 [b, t], 1 for a token and 0 for padding, which is masked. */
  readonly mask?: Sym | undefined;
  /**
   * Sliding window: number of tokens that a token attends to, itself included; all previous ones when absent.
   */
  readonly window?: number | undefined;
}

/**
 * Attention bias that masks later tokens, padding and tokens before the sliding window: 0 where a query
 * attends, the lowest float32 where it does not.
 *
 * @returns [b, 1, q, t]
 */
export function causalBias({ positions }: Queries, tokens: Dim, { mask, window }: CausalMask): Sym {
  const back = sub(unsqueeze(positions, 2), cast(range(tokens), "float32")); // [b, q, t]
  const conditions = [
    lessOrEqual(scalar(0), back),
    ...(window === undefined ? [] : [lessOrEqual(back, window - 1)]),
    ...(mask === undefined ? [] : [greater(unsqueeze(mask, 1), 0)]),
  ];
  return unsqueeze(where(conditions.reduce(and), scalar(0), LOWEST), 1);
}

/**
 * Keys or values shared by groups of neighbouring query heads, repeated once per query head (grouped-query
 * attention, Ainslie et al. 2023, arXiv:2305.13245).  [b, h, t, c] → [b, h·times, t, c]
 */
export function repeatHeads(x: Sym, times: number): Sym {
  const [batch, heads, tokens, width] = x.shape as readonly [Dim, Dim, Dim, Dim];
  const copies = expand(unsqueeze(x, 2), [batch, heads, times, tokens, width]);
  return reshape(copies, [batch, multiplyDims(heads, times), tokens, width]);
}
