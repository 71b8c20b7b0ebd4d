import {
  add,
  concat,
  exp,
  expand,
  fill,
  matMul,
  maximum,
  minimum,
  mul,
  neg,
  reshape,
  scan,
  silu,
  slice,
  split,
  transpose,
  unsqueeze,
} from "../../../net/graph/build.ts";
import { knownSize } from "../../../net/graph/dim.ts";
import type { Sym } from "../../../net/graph/sym.ts";
import {
  convolutionSteps,
  type DepthwiseConvolution,
  shortCausalConvolution,
} from "../../../net/nn/causal-convolution.ts";
import { type Linear, linear } from "../../../net/nn/linear.ts";
import { type Norm, rmsNorm } from "../../../net/nn/norm.ts";
import { selectiveScan, stableSoftplus } from "../../../net/nn/selective-scan.ts";
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

export interface Mamba2Sizes {
  readonly heads: number;
  /** Channels of a head. */
  readonly headWidth: number;
  readonly groups: number;
  readonly states: number;
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
  const y = loops ? inLoop(p, sizes, xBC, step, mask) : withoutLoop(p, sizes, xBC, step, mask);
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

/** Token by token; states [b, g, n, e/g], channels innermost. */
function inLoop(p: Mamba2, sizes: Mamba2Sizes, xBC: Sym, step: Sym, mask: Sym | undefined): Sym {
  const batch = xBC.shape[1];
  const { groups: g, states: n } = sizes;
  const channels = knownSize(p.norm.weight.shape[0], "the inner width") / g;
  const A = neg(exp(p.logA)); // [h]
  const skip = perChannel(p.skip, sizes);
  const convolution = convolutionSteps(p.convolution, batch);
  const { emitted } = scan(
    [fill([batch, g, n, channels], 0), ...convolution.start],
    mask === undefined ? [xBC, step] : [xBC, step, mask],
    ([h, ...carried], [token, stepOfHeads, kept]) => {
      const convolved = convolution.step(token, carried);
      const [x, B, C] = parts(masked(silu(convolved.output), kept), sizes);
      const row = (values: Sym) => reshape(perChannel(values, sizes), [batch, g, 1, channels]);
      const driven = mul(row(stepOfHeads), reshape(x, [batch, g, 1, channels]));
      const decayed = mul(row(exp(mul(stepOfHeads, A))), h);
      const state = add(decayed, mul(reshape(B, [batch, g, n, 1]), driven));
      const y = reshape(matMul(reshape(C, [batch, g, 1, n]), state), x.shape);
      return { states: [state, ...convolved.carried], emit: [add(y, mul(skip, x))] };
    },
  );
  return emitted[0];
}

/** All tokens at once, rows first; the channels of each group are one selective scan. */
function withoutLoop(p: Mamba2, sizes: Mamba2Sizes, xBC: Sym, step: Sym, mask: Sym | undefined): Sym {
  const { groups, states } = sizes;
  const convolved = shortCausalConvolution(p.convolution, transpose(xBC, [1, 2, 0]));
  const kept = mask && transpose(mask, [1, 0, 2]);
  const [x, B, C] = parts(masked(silu(transpose(convolved, [0, 2, 1])), kept), sizes); // [b, t, ·]
  const steps = perChannel(transpose(step, [1, 0, 2]), sizes);
  const inner = knownSize(p.norm.weight.shape[0], "the inner width");
  const A = expand(perChannel(neg(exp(p.logA)), sizes), [states, inner]);
  const scanned = Array.from({ length: groups }, (_, i) => {
    const block = (all: Sym, axis: number, size: number) => slice(all, axis, i * size, (i + 1) * size);
    const channels = inner / groups;
    return selectiveScan(block(A, 1, channels), {
      x: block(x, 2, channels),
      step: block(steps, 2, channels),
      B: block(B, 2, states),
      C: block(C, 2, states),
    });
  });
  return transpose(add(concat(scanned, 2), mul(perChannel(p.skip, sizes), x)), [1, 0, 2]);
}
