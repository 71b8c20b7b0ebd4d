import { add, exp, fill, flip, mul, neg, scan, silu, split, transpose } from "../../../net/graph/build.ts";
import { knownSize } from "../../../net/graph/dim.ts";
import type { Sym } from "../../../net/graph/sym.ts";
import {
  convolutionSteps,
  type DepthwiseConvolution,
  shortCausalConvolution,
} from "../../../net/nn/causal-convolution.ts";
import {
  type Linear,
  linear,
  rowBlocks,
  withInputsReversed,
  withOutputsReversed,
} from "../../../net/nn/linear.ts";
import {
  type SelectiveInput,
  selectiveScan,
  selectiveStep,
  stableSoftplus,
} from "../../../net/nn/selective-scan.ts";

// axes: t tokens · q queries · b rows · d width · e inner width · n states · r rank of the step; tokens
// first, so that one step of a loop is contiguous in memory

export interface Projections {
  /** d → 2e, no bias: u, then the gate z */
  readonly input: Linear;
  /** e → d, no bias */
  readonly output: Linear;
}

/** The module between the projections: a short convolution and a selective state-space model. */
export interface SelectiveModel {
  readonly convolution: DepthwiseConvolution;
  /** e → r + 2n, no bias: δ, B, C */
  readonly selection: Linear;
  /** r → e */
  readonly step: Linear;
  /** ln(−A): [e, n] */
  readonly logA: Sym;
  /** [e] */
  readonly skip: Sym;
}

/** A Mamba module along the tokens. */
export interface Mamba {
  readonly model: SelectiveModel;
  readonly projections: Projections;
}

/**
 * M(x) = W_out·(ssm(u) ⊙ SiLU(z)), (u, z) = W_in·x (Gu & Dao 2023, arXiv:2312.00752, section 3.4).
 *
 * @param x     [t, b, d]
 * @param mask  [t, b, 1], 0 for padding, which Transformers masks before and after the convolution
 * @returns     [t, b, d]
 */
export function mambaMixer(
  p: Mamba,
  x: Sym,
  { loops, mask }: { loops: boolean; mask: Sym | undefined },
): Sym {
  const form: MambaForm = { loops, queriesOf: (all) => all };
  return gated(p.projections, x, form, (u) => ssm(p.model, masked(u, mask), "forward", loops, mask));
}

const masked = (x: Sym, mask: Sym | undefined) => (mask === undefined ? x : mul(x, mask));

/**
 * Two Mamba modules, one along the tokens and one in reverse. Projections that are the same object are
 * shared.
 */
export interface BidirectionalMamba {
  readonly forward: SelectiveModel;
  readonly backward: SelectiveModel;
  readonly projections: Readonly<Record<Direction, Projections>>;
}

export type Direction = "forward" | "backward";

/**
 * M→(x) + flip(M←(flip(x))), with M(x) = W_out·(ssm(u) ⊙ SiLU(z)) and (u, z) = W_in·x (Gu & Dao 2023,
 * arXiv:2312.00752, section 3.4; Schiff et al. 2024, arXiv:2403.03234, section 3.1). Shared projections are
 * linear, so they are applied once.
 *
 * @param x  [t, b, d]
 * @returns  [q, b, d]
 */
export function bidirectionalMamba(p: BidirectionalMamba, x: Sym, form: MambaForm): Sym {
  const { forward, backward } = p.projections;
  const along = (u: Sym) => form.queriesOf(ssm(p.forward, u, "forward", form.loops));
  const against = (u: Sym) => form.queriesOf(ssm(p.backward, u, "backward", form.loops));
  return forward === backward
    ? gated(forward, x, form, (u) => add(along(u), against(u)))
    : add(gated(forward, x, form, along), gated(backward, x, form, against));
}

export interface MambaForm {
  /** True computes the recurrence in a loop over the tokens, false by one operator for all of them. */
  readonly loops: boolean;
  /** The queries of each row: [t, b, ·] → [q, b, ·]. */
  queriesOf(x: Sym): Sym;
}

/** W_out·(inner(u) ⊙ SiLU(z)), (u, z) = W_in·x; z is computed for the queries alone. */
function gated(
  { input, output }: Projections,
  x: Sym,
  { queriesOf }: MambaForm,
  inner: (u: Sym) => Sym,
): Sym {
  const [u, z] = rowBlocks(input, 2) as readonly [Linear, Linear];
  return linear(output, mul(inner(linear(u, x)), silu(linear(z, queriesOf(x)))));
}

/** c = m ⊙ SiLU(conv(u)); ssm = scan(c; Δ, B, C) + D ⊙ c.  u: [t, b, e] → the same */
function ssm(p: SelectiveModel, u: Sym, direction: Direction, loops: boolean, mask?: Sym): Sym {
  const backward = direction === "backward";
  if (loops) return inLoop(p, u, backward, mask);
  return backward ? flip(withoutLoop(p, flip(u, 0)), 0) : withoutLoop(p, u, mask);
}

/** Token by token, so that wide values exist for one token at a time. */
function inLoop(p: SelectiveModel, u: Sym, reverse: boolean, mask: Sym | undefined): Sym {
  const [, batch, inner] = u.shape;
  const A = decayRates(p);
  const convolution = convolutionSteps(p.convolution, batch!);
  const start = [fill([batch!, A.shape[0], inner!], 0), ...convolution.start];
  const { emitted } = scan(
    start,
    mask === undefined ? [u] : [u, mask],
    ([h, ...carried], [token, kept]) => {
      const convolved = convolution.step(token!, carried);
      const c = masked(silu(convolved.output), kept);
      const { state, y } = selectiveStep(A, h!, selected(p, c));
      return { states: [state, ...convolved.carried], emit: [add(y, mul(p.skip, c))] };
    },
    { reverse },
  );
  return emitted[0];
}

/** All tokens at once, rows first. */
function withoutLoop(p: SelectiveModel, u: Sym, mask?: Sym): Sym {
  const convolved = shortCausalConvolution(p.convolution, transpose(u, [1, 2, 0]));
  const kept = mask && transpose(mask, [1, 0, 2]);
  const c = masked(silu(transpose(convolved, [0, 2, 1])), kept); // [b, t, e]
  return transpose(add(selectiveScan(decayRates(p), selected(p, c)), mul(p.skip, c)), [1, 0, 2]);
}

/** δ, B, C = W·c; Δ = softplus(W_Δ·δ + b_Δ).  c: [..., e] */
function selected(p: SelectiveModel, c: Sym): SelectiveInput {
  const rank = knownSize(p.step.weight.shape[1], "the rank of the step");
  const n = knownSize(p.logA.shape[1], "the number of states");
  const [delta, B, C] = split(linear(p.selection, c), -1, [rank, n, n]) as readonly [Sym, Sym, Sym];
  return { x: c, step: stableSoftplus(linear(p.step, delta)), B, C };
}

/** A = −exp(A_log), channels innermost: [n, e] */
const decayRates = ({ logA }: SelectiveModel) => neg(exp(transpose(logA, [1, 0])));

/**
 * The module applied to the other strand: rc(W(rc(x))) for a module W(x), where rc reverses tokens and
 * channels. Reversing tokens swaps the directions; reversing channels reverses the projections' outer columns
 * and rows.
 */
export function reverseComplemented({
  forward,
  backward,
  projections,
}: BidirectionalMamba): BidirectionalMamba {
  const reversed = (p: Projections): Projections => ({
    input: withInputsReversed(p.input),
    output: withOutputsReversed(p.output),
  });
  const along = reversed(projections.backward);
  const against = projections.forward === projections.backward ? along : reversed(projections.forward);
  return {
    forward: backward,
    backward: forward,
    projections: { forward: along, backward: against },
  };
}
