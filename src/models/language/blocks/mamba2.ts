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
import { type DepthwiseConvolution, shortCausalConvolution } from "../../../net/nn/causal-convolution.ts";
import { type Linear, linear } from "../../../net/nn/linear.ts";
import { type Norm, rmsNorm } from "../../../net/nn/norm.ts";
import {
  chunkedScan,
  type HeadSizes,
  type SelectiveInput,
  selectiveScan,
  stableSoftplus,
} from "../../../net/nn/selective-scan.ts";
import type { MixerForm } from "./state-space.ts";

// axes: t tokens · b rows · d width · e inner width = h heads × p channels of a head · g groups of heads that
// share B and C · n states · k = e + 2gn channels of the convolution; tokens first

/** A Mamba-2 module: the decay is one number per head, and B and C are shared by the heads of a group. */
export interface Mamba2 {
  /** d → e + k + h: the gate z; x, B and C; δ */
  readonly input: Linear;
  /** k channels */
  readonly convolution: DepthwiseConvolution;
  /** [h] */
  readonly stepBias: Sym;
  /** ln(−A): [h] */
  readonly logA: Sym;
  /** [h] */
  readonly skip: Sym;
  readonly norm: Norm;
  /** e → d */
  readonly output: Linear;
}

export interface Mamba2Sizes extends HeadSizes {
  readonly epsilon: number;
  /** Least and largest Δ; null: no limit. */
  readonly stepLimit: readonly [least: number, largest: number | null];
}

/**
 * W_out·RMS((ssd(x; Δ, B, C) + D ⊙ x) ⊙ SiLU(z)) with (z, xBC, δ) = W_in·u, (x, B, C) = SiLU(conv(xBC)) and
 * Δ = softplus(δ + b), RMS over each group's channels (Dao & Gu 2024, arXiv:2405.21060, section 7). The
 * recurrence is that of Mamba, with A and Δ equal in all channels of a head.
 *
 * @param u  [t, b, d]
 * @returns  [t, b, d]
 */
export function mamba2Mixer(p: Mamba2, u: Sym, sizes: Mamba2Sizes, { loops, mask }: MixerForm): Sym {
  const inner = sizes.heads * sizes.headWidth;
  const convolved = inner + 2 * sizes.groups * sizes.states;
  const all = linear(p.input, masked(u, mask));
  const [z, xBC, delta] = split(all, -1, [inner, convolved, sizes.heads]) as readonly [Sym, Sym, Sym];
  const step = limited(stableSoftplus(add(delta, p.stepBias)), sizes.stepLimit); // [t, b, h]
  const rowsFirst = (values: Sym) => transpose(values, [1, 0, 2]);
  const mixed = transpose(shortCausalConvolution(p.convolution, transpose(xBC, [1, 2, 0])), [0, 2, 1]);
  const [x, B, C] = parts(masked(silu(mixed), mask && rowsFirst(mask)), sizes); // [b, t, ·]
  const scan = loops ? chunkedScan : scanOfGroups;
  const scanned = scan(neg(exp(p.logA)), sizes, { x, step: rowsFirst(step), B, C });
  const y = rowsFirst(add(scanned, mul(perChannel(p.skip, sizes), x)));
  return linear(p.output, normOfGroups(p.norm, mul(y, silu(z)), sizes));
}

/**
 * RMS norm of each group's channels, as in the package mamba_ssm and in Transformers 5.  [..., e] → [..., e]
 */
function normOfGroups({ weight }: Norm, x: Sym, { heads, headWidth, groups, epsilon }: Mamba2Sizes): Sym {
  if (groups === 1) return rmsNorm({ weight }, x, epsilon);
  const grouped = [groups, (heads * headWidth) / groups];
  const rows = reshape(x, [...x.shape.slice(0, -1), ...grouped]);
  return reshape(rmsNorm({ weight: reshape(weight, grouped) }, rows, epsilon), x.shape);
}

function limited(step: Sym, [least, largest]: Mamba2Sizes["stepLimit"]): Sym {
  const raised = least === 0 ? step : maximum(step, least);
  return largest === null ? raised : minimum(raised, largest);
}

const masked = (x: Sym, mask: Sym | undefined) => (mask === undefined ? x : mul(x, mask));

/** One value per head as one per channel: [..., h] → [..., e] */
function perChannel(x: Sym, { heads, headWidth }: Mamba2Sizes): Sym {
  const leading = x.shape.slice(0, -1);
  const wide = expand(unsqueeze(x, x.shape.length), [...leading, heads, headWidth]);
  return reshape(wide, [...leading, heads * headWidth]);
}

/** x, B and C of the convolution's channels: [..., e], [..., gn], [..., gn] */
function parts(xBC: Sym, { heads, headWidth, groups, states }: Mamba2Sizes) {
  const shared = groups * states;
  return split(xBC, -1, [heads * headWidth, shared, shared]) as readonly [Sym, Sym, Sym];
}

/** The arguments and the result of `chunkedScan`; the channels of each group are one selective scan. */
function scanOfGroups(A: Sym, sizes: Mamba2Sizes, { x, step, B, C }: SelectiveInput): Sym {
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
