import { add, mul, pad, reshape, split, transpose } from "../../../net/graph/build.ts";
import type { Sym } from "../../../net/graph/sym.ts";
import type { DepthwiseConvolution } from "../../../net/nn/causal-convolution.ts";
import { shortCausalConvolution } from "../../../net/nn/causal-convolution.ts";
import type { Linear } from "../../../net/nn/linear.ts";
import { linear } from "../../../net/nn/linear.ts";
import type { LongConvolution } from "../../../net/nn/long-convolution.ts";

// axes: b batch · t tokens · d width

export interface HyenaMixer {
  /** d → 3d; blocks of rows in the order x₀, x₁, v */
  readonly inProjection: Linear;
  readonly shortFilter: DepthwiseConvolution;
  /** [d], the skip of the long convolution */
  readonly skip: Sym;
  readonly outProjection: Linear;
}

/**
 * The Hyena operator of order 2: two gates around one long causal convolution (Poli et al. 2023, arXiv:2302.10866, eq. 4).
 *
 * u = in(x); x₀, x₁, v = short(u); y = k ∗ (v ⊙ x₁) + skip ⊙ (v ⊙ x₁); out(y ⊙ x₀)
 *
 * @param x       [b, t, d]
 * @param kernel  [t, d], the implicit filter
 * @param long    a convolution over t places
 * @returns       [b, t, d]
 */
export function hyena(p: HyenaMixer, x: Sym, kernel: Sym, long: LongConvolution): Sym {
  const width = x.shape[2] as number;
  const u = channelsNext(linear(p.inProjection, x)); // [b, 3d, t]
  const [x0, x1, v] = split(shortCausalConvolution(p.shortFilter, u), 1, [width, width, width]);
  const y = long.apply(channelsNext(mul(v!, x1!)), withSkip(kernel, p.skip));
  return linear(p.outProjection, mul(y, channelsNext(x0!)));
}

/** [b, t, d] ↔ [b, d, t]: the short convolution wants tokens last, all else wants channels last. */
const channelsNext = (x: Sym) => transpose(x, [0, 2, 1]);

/** The skip connection is one more tap at distance zero: k̃[0] = k[0] + skip. */
function withSkip(kernel: Sym, skip: Sym): Sym {
  const [length, width] = kernel.shape as readonly [number, number];
  return add(kernel, pad(reshape(skip, [1, width]), 0, 0, length - 1));
}
