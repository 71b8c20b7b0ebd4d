import {
  abs,
  add,
  concat,
  exp,
  log,
  matMul,
  mul,
  neg,
  pad,
  relu,
  reshape,
  slice,
  sub,
  unsqueeze,
} from "../graph/build.ts";
import { knownSize } from "../graph/dim.ts";
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

/** Tokens whose states are in memory at once in the form without a loop. */
const CHUNK = 128;

/**
 * The recurrence without a loop, for devices that do not support loops: tokens are processed in chunks, one
 * after another, and within a chunk the steps h ← α·h + β are composed in ⌈log₂ chunk⌉ passes, (α₁, β₁) then
 * (α₂, β₂) being (α₁α₂, α₂β₁ + β₂). All factors are at most 1, so nothing overflows. Takes memory for the
 * states of one chunk.
 *
 * @param A      [n, e], negative
 * @param input  over [t, b], t known
 * @returns      y: [t, b, e]
 */
export function selectiveScan(A: Sym, { x, step, B, C }: SelectiveInput, { chunk = CHUNK } = {}): Sym {
  const tokens = knownSize(x.shape[0], "the length of a recurrence without a loop");
  const driven = mul(step, x);
  const outputs: Sym[] = [];
  let before: Sym | undefined; // [1, b, n, e]
  for (let start = 0; start < tokens; start += chunk) {
    const part = (of: Sym, axis: number) =>
      unsqueeze(slice(of, 0, start, Math.min(start + chunk, tokens)), axis);
    const decay = exp(mul(part(step, 2), A)); // [t, b, n, e]
    const states: Sym = composed(decay, mul(part(B, 3), part(driven, 2)), before);
    const y = matMul(part(C, 2), states); // [t, b, 1, e]
    outputs.push(reshape(y, [y.shape[0], y.shape[1], y.shape[3]]));
    before = slice(states, 0, -1);
  }
  return concat(outputs, 0);
}

/** All states of one chunk: h_t = α_t·h_{t−1} + β_t along the first axis. */
function composed(decay: Sym, input: Sym, before: Sym | undefined): Sym {
  const tokens = knownSize(decay.shape[0], "a chunk");
  let alpha = decay;
  let beta = input;
  if (before !== undefined) {
    const first = add(mul(slice(alpha, 0, 0, 1), before), slice(beta, 0, 0, 1));
    beta = tokens === 1 ? first : concat([first, slice(beta, 0, 1)], 0);
  }
  for (let span = 1; span < tokens; span *= 2) {
    // before the chunk is the identity step: α = 1, β = 0
    const earlier = (x: Sym, none: number) => pad(slice(x, 0, 0, tokens - span), 0, span, 0, none);
    beta = add(mul(alpha, earlier(beta, 0)), beta);
    if (2 * span < tokens) alpha = mul(alpha, earlier(alpha, 1));
  }
  return beta;
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
