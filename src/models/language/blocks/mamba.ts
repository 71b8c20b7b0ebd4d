import { add, exp, fill, flip, mul, neg, scan, silu, split, transpose } from "../../../net/graph/build.ts";
import { knownSize } from "../../../net/graph/dim.ts";
import type { Sym } from "../../../net/graph/sym.ts";
import {
  convolutionSteps,
  type DepthwiseConvolution,
  shortCausalConvolution,
} from "../../../net/nn/convolution.ts";
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
import { masked } from "./state-space.ts";

// axes: t tokens · q queries · b batch · d width · e inner width · n states of a channel · r rank of Δ.
// Tokens are the first axis, so that one step of the loop is contiguous in memory.

/** Input and output projection of a Mamba module. */
export interface Projections {
  /** W_in, d → 2e: u, then the gate z */
  readonly input: Linear;
  /** W_out, e → d */
  readonly output: Linear;
}

/**
 * A short convolution and a selective state-space model: the part of a Mamba module between its projections.
 */
export interface SelectiveModel {
  readonly convolution: DepthwiseConvolution;
  /** e → r + 2n, no bias: δ (Δ before its projection), B and C */
  readonly selection: Linear;
  /** W_Δ and b_Δ, r → e */
  readonly step: Linear;
  /** ln(−A): [e, n] */
  readonly logA: Sym;
  /** D: [e] */
  readonly skip: Sym;
}

/** A causal Mamba module. */
export interface Mamba {
  readonly model: SelectiveModel;
  readonly projections: Projections;
}

/**
 * M(x) = W_out·(ssm(u) ⊙ SiLU(z)) with (u, z) = W_in·x (Gu & Dao 2023, arXiv:2312.00752, section 3.4).
 *
 * @param x     [t, b, d]
 * @param mask  [t, b, 1], 1 for a token and 0 for padding: masks u before the convolution and its output, as
 *   in Transformers
 * @returns     [t, b, d]
 */
export function mambaMixer(
  p: Mamba,
  x: Sym,
  { loops, mask }: { loops: boolean; mask: Sym | undefined },
): Sym {
  const options: MambaOptions = { loops, selectQueries: (y) => y };
  return gated(p.projections, x, options, (u) => ssm(p.model, masked(u, mask), "forward", loops, mask));
}

/**
 * Two Mamba modules, one for the tokens in order and one for the reversed tokens. The modules share
 * projections that are the same object.
 */
export interface BidirectionalMamba {
  readonly forward: SelectiveModel;
  readonly backward: SelectiveModel;
  readonly projections: Readonly<Record<Direction, Projections>>;
}

export type Direction = "forward" | "backward";

/**
 * M→(x) + flip(M←(flip(x))) with M(x) = W_out·(ssm(u) ⊙ SiLU(z)), (u, z) = W_in·x (Gu & Dao 2023,
 * arXiv:2312.00752, section 3.4; Schiff et al. 2024, arXiv:2403.03234, section 3.1). Shared projections are
 * computed once, which is exact because they are linear.
 *
 * @param x  [t, b, d]
 * @returns  [q, b, d]
 */
export function bidirectionalMamba(p: BidirectionalMamba, x: Sym, options: MambaOptions): Sym {
  const { loops, selectQueries } = options;
  const { forward, backward } = p.projections;
  const forwardSsm = (u: Sym) => selectQueries(ssm(p.forward, u, "forward", loops)); // [q, b, e]
  const backwardSsm = (u: Sym) => selectQueries(ssm(p.backward, u, "backward", loops)); // [q, b, e]
  return forward === backward
    ? gated(forward, x, options, (u) => add(forwardSsm(u), backwardSsm(u)))
    : add(gated(forward, x, options, forwardSsm), gated(backward, x, options, backwardSsm));
}

export interface MambaOptions {
  /** True computes the recurrence by a loop over the tokens, false by one operator for all tokens. */
  readonly loops: boolean;
  /** Selects the queries of each row: [t, b, ·] → [q, b, ·]. */
  selectQueries(x: Sym): Sym;
}

/**
 * W_out·(f(u) ⊙ SiLU(z)) with (u, z) = W_in·x; z is computed for the queries alone.  x: [t, b, d] → [q, b, d]
 */
function gated(
  { input, output }: Projections,
  x: Sym,
  { selectQueries }: MambaOptions,
  f: (u: Sym) => Sym,
): Sym {
  const [u, z] = rowBlocks(input, 2);
  return linear(output, mul(f(linear(u, x)), silu(linear(z, selectQueries(x)))));
}

/** c = mask ⊙ SiLU(conv(u)); ssm(u) = scan(c; A, Δ, B, C) + D ⊙ c.  u: [t, b, e] → the same */
function ssm(p: SelectiveModel, u: Sym, direction: Direction, loops: boolean, mask?: Sym): Sym {
  const backward = direction === "backward";
  if (loops) return ssmInLoop(p, u, backward, mask);
  return backward ? flip(ssmAtOnce(p, flip(u, 0)), 0) : ssmAtOnce(p, u, mask);
}

/** `ssm` token by token: values of e·n elements per row exist for one token at a time. */
function ssmInLoop(p: SelectiveModel, u: Sym, reverse: boolean, mask: Sym | undefined): Sym {
  const [, batch, inner] = u.shape;
  const A = stateMatrix(p);
  const convolution = convolutionSteps(p.convolution, batch);
  const start = [fill([batch, A.shape[0], inner], 0), ...convolution.start];
  const { emitted } = scan(
    start,
    mask === undefined ? [u] : [u, mask],
    ([h, ...carried], [token, tokenMask]) => {
      const convolved = convolution.step(token, carried);
      const c = masked(silu(convolved.output), tokenMask); // [b, e]
      const { state, y } = selectiveStep(A, h, selectiveInput(p, c));
      return { states: [state, ...convolved.carried], emit: [add(y, mul(p.skip, c))] };
    },
    { reverse },
  );
  return emitted[0];
}

/** `ssm` of all tokens at once, for devices without loops. */
function ssmAtOnce(p: SelectiveModel, u: Sym, mask?: Sym): Sym {
  const convolved = shortCausalConvolution(p.convolution, transpose(u, [1, 2, 0])); // [b, e, t]
  const batchMask = mask && transpose(mask, [1, 0, 2]); // [b, t, 1]
  const c = masked(silu(transpose(convolved, [0, 2, 1])), batchMask); // [b, t, e]
  const y = add(selectiveScan(stateMatrix(p), selectiveInput(p, c)), mul(p.skip, c)); // [b, t, e]
  return transpose(y, [1, 0, 2]);
}

/** (δ, B, C) = W·c; Δ = softplus(W_Δ·δ + b_Δ).  c: [..., e] */
function selectiveInput(p: SelectiveModel, c: Sym): SelectiveInput {
  const rank = knownSize(p.step.weight.shape[1], "the rank of the step");
  const n = knownSize(p.logA.shape[1], "the number of states");
  const [delta, B, C] = split(linear(p.selection, c), -1, [rank, n, n]);
  return { x: c, step: stableSoftplus(linear(p.step, delta)), B, C };
}

/** A = −exp(logA), with the channels as the last axis: [n, e] */
const stateMatrix = ({ logA }: SelectiveModel) => neg(exp(transpose(logA, [1, 0])));

/**
 * The module that computes rc(M(rc(x))) for a module M, where rc reverses tokens and channels: the module on
 * the other strand. Reversing tokens swaps the two directions. Reversing channels reverses the columns of the
 * input projections and the rows of the output projections.
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
  const newForward = reversed(projections.backward);
  const isShared = projections.forward === projections.backward;
  return {
    forward: backward,
    backward: forward,
    projections: { forward: newForward, backward: isShared ? newForward : reversed(projections.forward) },
  };
}
