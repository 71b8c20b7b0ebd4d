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

/** [b, t, h·c] → [b, h, t, c]; a head is a block of neighbouring columns. */
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
 * @param drop  what is done to the weights, [b, h, q, t], before they are applied
 * @returns     [b, h, q, c]
 */
export function attention(q: Sym, k: Sym, v: Sym, bias?: Sym, drop = (weights: Sym) => weights): Sym {
  const headWidth = knownSize(q.shape[3], "the width of a head");
  const scores = mul(matMul(q, swapLast(k)), 1 / Math.sqrt(headWidth));
  return matMul(drop(softmax(bias === undefined ? scores : add(scores, bias))), v);
}

/** What keeps padding from being attended to: 0 for a token, `value` for padding.  mask: [b, t] → [b, 1, 1, t] */
export function paddingBias(mask: Sym, value: number): Sym {
  const [batch, tokens] = mask.shape;
  return reshape(mul(sub(1, mask), value), [batch!, 1, 1, tokens!]);
}

/** The lowest finite float32: what most models add to the scores of padding. */
export const LOWEST = -3.4028234663852886e38;

// axes: b batch (or 1) · h heads · q queries · t tokens · c width of a head

export interface CausalSight {
  /** float32 [b, t], 1 for a token and 0 for padding, which no token sees. */
  readonly mask?: Sym | undefined;
  /** How many tokens back a token sees, itself counted; all of them when absent. */
  readonly window?: number | undefined;
}

/**
 * What keeps a query from the tokens after it, from padding and from what lies before its window: 0 where it sees, the
 * lowest number where it does not. To be added to the scores of attention.
 *
 * @returns [b, 1, q, t]
 */
export function causalBias({ places }: Queries, tokens: Dim, { mask, window }: CausalSight): Sym {
  const back = sub(unsqueeze(places, 2), cast(range(tokens), "float32")); // [b, q, t]
  const sights = [
    lessOrEqual(scalar(0), back),
    ...(window === undefined ? [] : [lessOrEqual(back, window - 1)]),
    ...(mask === undefined ? [] : [greater(unsqueeze(mask, 1), 0)]),
  ];
  return unsqueeze(where(sights.reduce(and), scalar(0), LOWEST), 1);
}

/**
 * Keys or values that groups of neighbouring query heads share, one copy per query head (Ainslie et al. 2023,
 * arXiv:2305.13245).  [b, h, t, c] → [b, h·times, t, c]
 */
export function repeatHeads(x: Sym, times: number): Sym {
  const [batch, heads, tokens, width] = x.shape as readonly [Dim, Dim, Dim, Dim];
  const copies = expand(unsqueeze(x, 2), [batch, heads, times, tokens, width]);
  return reshape(copies, [batch, multiplyDims(heads, times), tokens, width]);
}
