import {
  abs,
  add,
  constant,
  cumSum,
  exp,
  expand,
  fill,
  gather,
  linearAttention,
  log,
  MAX_STATES,
  matMul,
  mul,
  neg,
  pad,
  range,
  relu,
  reshape,
  scan,
  slice,
  sub,
  swapLast,
  transpose,
  unsqueeze,
} from "../graph/build.ts";
import { chunksOf, knownSize, multiplyDims } from "../graph/dim.ts";
import type { Sym } from "../graph/sym.ts";
import { LOWEST } from "./attention.ts";

// axes: b batch · t tokens · e channels · n states of a channel
// h heads · p channels of a head, e = h·p · g groups of heads · q tokens of a chunk

/**
 * Input of a selective state-space model, in which Δ, B and C depend on the token (Gu & Dao 2023,
 * arXiv:2312.00752, section 3.2). A is diagonal and the discretisation of B simplified to Δ·B:
 *
 *     h_t[n, e] = exp(Δ_t[e]·A[n, e])·h_{t−1}[n, e] + B_t[n]·Δ_t[e]·x_t[e],  h_0 = 0
 *     y_t[e] = Σ_n C_t[n]·h_t[n, e]
 */
export interface SelectiveInput {
  /** [..., e] */
  readonly x: Sym;
  /** Δ, [..., e], positive */
  readonly step: Sym;
  /** [..., n], as C */
  readonly B: Sym;
  readonly C: Sym;
}

/**
 * One token of the recurrence: the body of a loop. Channels are the last axis, so that element-wise products
 * are contiguous and the sum over states is a small matrix product.
 *
 * @param A  [n, e], negative
 * @param h  h_{t−1}, [b, n, e]
 * @returns  h_t, [b, n, e], and y_t, [b, e]
 */
export function selectiveStep(A: Sym, h: Sym, { x, step, B, C }: SelectiveInput) {
  const decay = exp(mul(unsqueeze(step, 1), A)); // [b, n, e]
  const state = add(mul(decay, h), mul(unsqueeze(B, 2), unsqueeze(mul(step, x), 1)));
  return { state, y: reshape(matMul(unsqueeze(C, 1), state), x.shape) };
}

/**
 * The recurrence as one operator, for devices that do not support loops. If n exceeds the operator's limit,
 * groups of states are computed separately and their outputs added.
 *
 * @param A      [n, e], negative
 * @param input  over [b, t]
 * @returns      y: [b, t, e]
 */
export function selectiveScan(A: Sym, { x, step, B, C }: SelectiveInput): Sym {
  const [batch, tokens, channels] = x.shape;
  const states = knownSize(A.shape[0], "the number of states");
  const scaledInput = mul(step, x); // Δ·x, [b, t, e]
  const rates = swapLast(A); // [e, n]
  const outputs = Array.from({ length: Math.ceil(states / MAX_STATES) }, (_, i) => {
    const of = (all: Sym, axis: number) =>
      slice(all, axis, i * MAX_STATES, Math.min((i + 1) * MAX_STATES, states));
    const group = of(rates, 1);
    const decay = mul(unsqueeze(step, 3), group); // [b, t, e, n]
    const wide = reshape(decay, [batch, tokens, multiplyDims(channels, group.shape[1])]);
    return linearAttention(of(C, 2), of(B, 2), scaledInput, wide);
  });
  return outputs.reduce((a, b) => add(a, b));
}

/** Sizes of a model whose heads have one A and Δ each, and whose groups of heads share B and C. */
export interface HeadSizes {
  readonly heads: number;
  /** Channels of a head. */
  readonly headWidth: number;
  readonly groups: number;
  /** States of a channel. */
  readonly states: number;
}

/** q, the number of tokens per chunk: the fastest in the measurement of docs/decisions/0007. */
export const CHUNK = 32;

/**
 * The recurrence with A and Δ equal in all channels of a head, computed chunk by chunk in its dual form (Dao
 * & Gu 2024, arXiv:2405.21060, section 6). The contributions of the tokens of a chunk to each other are
 * matrix products,
 *
 *     y_i = Σ_{j ≤ i} (C_i·B_j)·exp(Σ_{j < k ≤ i} Δ_k·A)·Δ_j·x_j,
 *
 * and those of earlier chunks come from the state [b, g, n, e/g] that a loop carries from chunk to chunk.
 * Sums of Δ·A are taken over the tokens between j and i, since differences of cumulative sums would lose
 * precision. Memory is linear in the number of tokens.
 *
 * @param A      [h], negative
 * @param input  over [b, t]; `step` is [b, t, h], `B` and `C` are [b, t, gn]
 * @returns      y: [b, t, e]
 */
export function chunkedScan(A: Sym, sizes: HeadSizes, { x, step, B, C }: SelectiveInput): Sym {
  const { heads: h, headWidth: p, groups: g, states: n } = sizes;
  const [batch, tokens] = x.shape;
  const q = CHUNK;
  const e = h * p;
  const count = chunksOf(tokens, q);
  const covered = multiplyDims(count, q);
  const chunked = (all: Sym) => {
    const whole = gather(pad(all, 1, 0, q - 1), range(covered), 1);
    return transpose(reshape(whole, [batch, count, q, all.shape[2]]), [1, 0, 2, 3]);
  };
  const ofHeads = (values: Sym, width: number) => reshape(values, [batch, q, h, width]);
  const ofGroups = (values: Sym, width: number) =>
    transpose(reshape(values, [batch, q, g, width]), [0, 2, 1, 3]);
  const { emitted } = scan(
    [fill([batch, g, n, e / g], 0)],
    [x, step, B, C].map(chunked),
    ([state], [x, step, B, C]) => {
      const rates = mul(step, A); // [b, q, h]
      const sums = add(matMul(transpose(rates, [0, 2, 1]), BETWEEN), LATER);
      const decay = reshape(exp(sums), [batch, h, q, q]); // from token j to token i: [b, h, i, j]
      const decayFromStart = exp(cumSum(rates, 1)); // from the carried state to each token: [b, q, h]
      const scaledInput = mul(ofHeads(x, p), ofHeads(step, 1)); // Δ·x, [b, q, h, p]
      const groupC = ofGroups(C, n); // [b, g, q, n]
      const groupB = swapLast(ofGroups(B, n)); // [b, g, n, q]
      const products = reshape(matMul(groupC, groupB), [batch, g, 1, q, q]); // C_i·B_j
      const weights = mul(products, reshape(decay, [batch, g, h / g, q, q]));
      const withinChunk = matMul(reshape(weights, [batch, h, q, q]), transpose(scaledInput, [0, 2, 1, 3]));
      const fromState = transpose(matMul(groupC, state), [0, 2, 1, 3]); // [b, q, g, e/g]
      const y = add(
        transpose(withinChunk, [0, 2, 1, 3]),
        mul(ofHeads(fromState, p), ofHeads(decayFromStart, 1)),
      );
      const decayToEnd = transpose(slice(decay, 2, q - 1, q), [0, 3, 1, 2]); // [b, q, h, 1]
      const stateInput = matMul(groupB, ofGroups(mul(scaledInput, decayToEnd), e / g)); // [b, g, n, e/g]
      const chunkDecay = reshape(slice(decayFromStart, 1, q - 1, q), [batch, h, 1]);
      const stateDecay = reshape(expand(chunkDecay, [batch, h, p]), [batch, g, 1, e / g]);
      return { states: [add(mul(stateDecay, state), stateInput)], emit: [reshape(y, [batch, q, e])] };
    },
  );
  const joined = reshape(transpose(emitted[0], [1, 0, 2, 3]), [batch, covered, e]);
  return gather(joined, range(tokens), 1);
}

/** A constant [rows, q²] with one column per pair of tokens (i, j) of a chunk. */
function perPair(rows: number, valueAt: (row: number, i: number, j: number) => number): Sym {
  const pairs = CHUNK ** 2;
  const data = Float32Array.from({ length: rows * pairs }, (_, at) => {
    const pair = at % pairs;
    return valueAt(Math.floor(at / pairs), Math.floor(pair / CHUNK), pair % CHUNK);
  });
  return constant({ dtype: "float32", shape: [rows, pairs], data });
}

/** 1 for the tokens k after j up to i, else 0: [k, (i, j)] */
const BETWEEN = perPair(CHUNK, (k, i, j) => (j < k && k <= i ? 1 : 0));
/** The lowest float32, whose exponential is 0, where j is later than i: [1, (i, j)] */
const LATER = perPair(1, (_, i, j) => (j > i ? LOWEST : 0));

/**
 * ln(1 + eˣ) to float32 precision for any x, by vectorised ops of ONNX Runtime. Its Softplus is slower: 30 ns
 * per element.
 *
 * With y = e^−|x| and w the rounded sum 1 + y, ln(1 + y) = ln(w) + (y − (w − 1)) up to terms below the
 * rounding error. The second term restores the part of y that rounding removed.
 */
export function stableSoftplus(x: Sym): Sym {
  const y = exp(neg(abs(x)));
  const w = add(y, 1);
  return add(relu(x), add(log(w), sub(y, sub(w, 1))));
}
