import {
  add,
  concat,
  exp,
  expand,
  maximum,
  minimum,
  mul,
  neg,
  reshape,
  silu,
  slice,
  split,
  transpose,
  unsqueeze,
} from "../../../net/graph/build.ts";
import type { Sym } from "../../../net/graph/sym.ts";
import { type DepthwiseConvolution, shortCausalConvolution } from "../../../net/nn/convolution.ts";
import { type Linear, linear } from "../../../net/nn/linear.ts";
import { type Norm, rmsNorm } from "../../../net/nn/norm.ts";
import {
  chunkedScan,
  type HeadSizes,
  type SelectiveInput,
  selectiveScan,
  stableSoftplus,
} from "../../../net/nn/selective-scan.ts";
import type { MixerOptions } from "./state-space.ts";
import { masked } from "./state-space.ts";

// axes: t tokens · b batch · d width · h heads · p channels of a head · e = h·p inner width · g groups of
// heads · n states of a channel · k = e + 2gn channels of the convolution. Tokens are the first axis.

/** A Mamba-2 module. A is one number per head, and the heads of a group share B and C. */
export interface Mamba2 {
  /** W_in, d → e + k + h: the gate z; then x, B and C; then δ */
  readonly input: Linear;
  /** Of x, B and C: k channels */
  readonly convolution: DepthwiseConvolution;
  /** b: [h] */
  readonly stepBias: Sym;
  /** ln(−A): [h] */
  readonly logA: Sym;
  /** D: [h] */
  readonly skip: Sym;
  readonly norm: Norm;
  /** W_out, e → d */
  readonly output: Linear;
}

export interface Mamba2Sizes extends HeadSizes {
  readonly epsilon: number;
  /** Range to which Δ is clipped; a maximum of null: no upper limit. */
  readonly stepLimit: readonly [min: number, max: number | null];
}

/**
 * The Mamba-2 module (Dao & Gu 2024, arXiv:2405.21060, section 7):
 *
 *     (z, xBC, δ) = W_in·u;  (x, B, C) = SiLU(conv(xBC));  Δ = softplus(δ + b)
 *     y = ssd(x; A, Δ, B, C) + D ⊙ x;  W_out·RMS(y ⊙ SiLU(z))
 *
 * ssd is the recurrence of Mamba with A and Δ equal in all channels of a head. RMS is over the channels of
 * each group.
 *
 * @param u  [t, b, d]
 * @returns  [t, b, d]
 */
export function mamba2Mixer(p: Mamba2, u: Sym, sizes: Mamba2Sizes, { loops, mask }: MixerOptions): Sym {
  const inner = sizes.heads * sizes.headWidth;
  const channels = inner + 2 * sizes.groups * sizes.states; // k
  const projected = linear(p.input, masked(u, mask)); // [t, b, e + k + h]
  const [z, xBC, delta] = split(projected, -1, [inner, channels, sizes.heads]);
  const step = clip(stableSoftplus(add(delta, p.stepBias)), sizes.stepLimit); // [t, b, h]
  const swapBatchAndTokens = (values: Sym) => transpose(values, [1, 0, 2]);
  const convolved = shortCausalConvolution(p.convolution, transpose(xBC, [1, 2, 0])); // [b, k, t]
  const activated = silu(transpose(convolved, [0, 2, 1])); // [b, t, k]
  const [x, B, C] = splitChannels(masked(activated, mask && swapBatchAndTokens(mask)), sizes); // [b, t, ·]
  const ssd = loops ? chunkedScan : scanByGroup;
  const scanned = ssd(neg(exp(p.logA)), sizes, { x, step: swapBatchAndTokens(step), B, C }); // [b, t, e]
  const y = swapBatchAndTokens(add(scanned, mul(perChannel(p.skip, sizes), x))); // [t, b, e]
  return linear(p.output, groupNorm(p.norm, mul(y, silu(z)), sizes));
}

/** RMS norm of each group's channels, as in mamba_ssm and in Transformers 5.  x: [..., e] → the same */
function groupNorm({ weight }: Norm, x: Sym, { heads, headWidth, groups, epsilon }: Mamba2Sizes): Sym {
  if (groups === 1) return rmsNorm({ weight }, x, epsilon);
  const grouped = [groups, (heads * headWidth) / groups];
  const rows = reshape(x, [...x.shape.slice(0, -1), ...grouped]);
  return reshape(rmsNorm({ weight: reshape(weight, grouped) }, rows, epsilon), x.shape);
}

function clip(step: Sym, [min, max]: Mamba2Sizes["stepLimit"]): Sym {
  const raised = min === 0 ? step : maximum(step, min);
  return max === null ? raised : minimum(raised, max);
}

/** Repeats the value of each head for its channels.  x: [..., h] → [..., e] */
function perChannel(x: Sym, { heads, headWidth }: Mamba2Sizes): Sym {
  const leading = x.shape.slice(0, -1);
  const wide = expand(unsqueeze(x, x.shape.length), [...leading, heads, headWidth]);
  return reshape(wide, [...leading, heads * headWidth]);
}

/** Splits the convolution's channels into x, B and C.  xBC: [..., k] → [..., e], [..., gn], [..., gn] */
function splitChannels(xBC: Sym, { heads, headWidth, groups, states }: Mamba2Sizes) {
  const shared = groups * states;
  return split(xBC, -1, [heads * headWidth, shared, shared]);
}

/** `chunkedScan` without a loop: one `selectiveScan` over the channels of each group. */
function scanByGroup(A: Sym, sizes: Mamba2Sizes, { x, step, B, C }: SelectiveInput): Sym {
  const { heads, headWidth, groups, states } = sizes;
  const inner = heads * headWidth;
  const steps = perChannel(step, sizes);
  const rates = expand(perChannel(A, sizes), [states, inner]);
  const scanned = Array.from({ length: groups }, (_, i) => {
    const block = (all: Sym, axis: number, size: number) => slice(all, axis, i * size, (i + 1) * size);
    const channels = inner / groups;
    return selectiveScan(block(rates, 1, channels), {
      x: block(x, 2, channels),
      step: block(steps, 2, channels),
      B: block(B, 2, states),
      C: block(C, 2, states),
    });
  });
  return concat(scanned, 2);
}
