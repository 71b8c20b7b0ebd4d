import { gelu, mul } from "../graph/build.ts";
import type { Sym } from "../graph/sym.ts";
import type { Linear } from "./linear.ts";
import { linear, rowBlocks } from "./linear.ts";

/** Two dense layers. In the gated form the first is twice as wide as what the second takes. */
export interface FeedForward {
  readonly inner: Linear;
  readonly outer: Linear;
}

/** W₂·gelu(W₁·x), with the exact GELU.  [..., d] → [..., d] */
export const feedForward = ({ inner, outer }: FeedForward, x: Sym) => linear(outer, gelu(linear(inner, x)));

/**
 * W₂·(f(a) ⊙ b), where a and b are the first and the second half of W₁·x: a gated linear unit with f = GELU (GEGLU) or
 * SiLU (SwiGLU) (Shazeer 2020, arXiv:2002.05202, eq. 6).  [..., d] → [..., d]
 *
 * @param drop  what is done to the product before W₂
 */
export function gatedFeedForward(
  { inner, outer }: FeedForward,
  x: Sym,
  activation: (a: Sym) => Sym,
  drop = (product: Sym) => product,
): Sym {
  const [a, b] = rowBlocks(inner, 2) as readonly [Linear, Linear];
  return linear(outer, drop(mul(activation(linear(a, x)), linear(b, x))));
}
