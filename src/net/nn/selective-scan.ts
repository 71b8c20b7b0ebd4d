import {
  abs,
  add,
  exp,
  linearAttention,
  log,
  MOST_STATES,
  matMul,
  mul,
  neg,
  relu,
  reshape,
  slice,
  sub,
  swapLast,
  unsqueeze,
} from "../graph/build.ts";
import { type Dim, knownSize, multiplyDims } from "../graph/dim.ts";
import type { Sym } from "../graph/sym.ts";

// axes: t tokens · b rows · e channels · n states of a channel

/**
 * A linear state-space model whose step Δ, input B and output C depend on the token (Gu & Dao 2023,
 * arXiv:2312.00752, section 3.2), with A diagonal and the simplified discretisation of B:
 *
 *     h_t[n, e] = exp(Δ_t[e]·A[n, e])·h_{t−1}[n, e] + B_t[n]·Δ_t[e]·x_t[e],  h_0 = 0
 *     y_t[e] = Σ_n C_t[n]·h_t[n, e]
 */
export interface SelectiveInput {
  /** [..., e] */
  readonly x: Sym;
  /** Δ, [..., e], positive */
  readonly step: Sym;
  /** [..., n] */
  readonly B: Sym;
  readonly C: Sym;
}

/**
 * One token of the recurrence, the body of a loop. Channels are the innermost axis, so that every product
 * runs along rows of memory and the sum over states is one small matrix product.
 *
 * @param A  [n, e], negative
 * @param h  [b, n, e]
 * @returns  the next state, [b, n, e], and y: [b, e]
 */
export function selectiveStep(A: Sym, h: Sym, { x, step, B, C }: SelectiveInput) {
  const decay = exp(mul(unsqueeze(step, 1), A)); // [b, n, e]
  const state = add(mul(decay, h), mul(unsqueeze(B, 2), unsqueeze(mul(step, x), 1)));
  return { state, y: reshape(matMul(unsqueeze(C, 1), state), x.shape) };
}

/**
 * The recurrence as one operator, for devices that do not support loops. States above the operator's limit
 * are computed in groups, whose outputs are added.
 *
 * @param A      [n, e], negative
 * @param input  over [b, t]
 * @returns      y: [b, t, e]
 */
export function selectiveScan(A: Sym, { x, step, B, C }: SelectiveInput): Sym {
  const [batch, tokens, channels] = x.shape as readonly [Dim, Dim, Dim];
  const states = knownSize(A.shape[0], "the number of states");
  const driven = mul(step, x);
  const rates = swapLast(A); // [e, n]
  const groups = Array.from({ length: Math.ceil(states / MOST_STATES) }, (_, i) => {
    const of = (all: Sym, axis: number) =>
      slice(all, axis, i * MOST_STATES, Math.min((i + 1) * MOST_STATES, states));
    const group = of(rates, 1);
    const decay = mul(unsqueeze(step, 3), group); // [b, t, e, n]
    const wide = reshape(decay, [batch, tokens, multiplyDims(channels, group.shape[1])]);
    return linearAttention(of(C, 2), of(B, 2), driven, wide);
  });
  return groups.reduce((a, b) => add(a, b));
}

/**
 * ln(1 + eˣ) to float32 precision for any x, from ops that ONNX Runtime has vectorised; its own Softplus
 * takes 30 ns per element.
 *
 * With y = e^−|x| and w = 1 + y rounded, ln(1 + y) = ln(w) + (y − (w − 1)) up to terms below the rounding
 * error: the second term restores what the sum lost, which is all of y where y is tiny.
 */
export function stableSoftplus(x: Sym): Sym {
  const y = exp(neg(abs(x)));
  const w = add(y, 1);
  return add(relu(x), add(log(w), sub(y, sub(w, 1))));
}
