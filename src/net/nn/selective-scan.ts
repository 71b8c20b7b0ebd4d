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
  MOST_STATES,
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
import { chunksOf, type Dim, knownSize, multiplyDims } from "../graph/dim.ts";
import type { Sym } from "../graph/sym.ts";
import { LOWEST } from "./attention.ts";

// axes: t tokens · b rows · e channels · n states of a channel
// h heads × p channels of a head = e · g groups of heads · q tokens of a chunk

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

/** Channels in heads with one decay each; the heads of a group share B and C. */
export interface HeadSizes {
  readonly heads: number;
  /** Channels of a head. */
  readonly headWidth: number;
  readonly groups: number;
  /** States of a channel. */
  readonly states: number;
}

/** Tokens of a chunk, the fastest number by the measurement in docs/decisions/0007. */
export const CHUNK = 32;

/**
 * The recurrence with A and Δ equal in all channels of a head, in its dual form and chunk by chunk (Dao & Gu
 * 2024, arXiv:2405.21060, section 6). The tokens of a chunk contribute to each other by matrix products,
 *
 *     y_i = Σ_{j ≤ i} (C_i·B_j)·exp(Σ_{j < k ≤ i} Δ_k·A)·Δ_j·x_j,
 *
 * and earlier tokens by the state that a loop carries from chunk to chunk: [b, g, n, e/g]. The sums of Δ·A
 * run over the tokens between j and i, because differences of cumulative sums would lose the digits of short
 * ones. Memory grows with the tokens, not with their pairs.
 *
 * @param A      [h], negative
 * @param input  over [b, t]; `step` is [b, t, h], `B` and `C` are [b, t, gn]
 * @returns      y: [b, t, e]
 */
export function chunkedScan(A: Sym, sizes: HeadSizes, { x, step, B, C }: SelectiveInput): Sym {
  const { heads: h, headWidth: p, groups: g, states: n } = sizes;
  const [batch, tokens] = x.shape as readonly [Dim, Dim, Dim];
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
      const decay = reshape(exp(sums), [batch, h, q, q]); // of token j's input at token i
      const sinceStart = exp(cumSum(rates, 1));
      const driven = mul(ofHeads(x, p), ofHeads(step, 1));
      const rows = ofGroups(C, n); // [b, g, q, n]
      const columns = swapLast(ofGroups(B, n)); // [b, g, n, q]
      const products = reshape(matMul(rows, columns), [batch, g, 1, q, q]);
      const weights = mul(products, reshape(decay, [batch, g, h / g, q, q]));
      const own = matMul(reshape(weights, [batch, h, q, q]), transpose(driven, [0, 2, 1, 3]));
      const earlier = transpose(matMul(rows, state), [0, 2, 1, 3]);
      const y = add(transpose(own, [0, 2, 1, 3]), mul(ofHeads(earlier, p), ofHeads(sinceStart, 1)));
      const toEnd = transpose(slice(decay, 2, q - 1, q), [0, 3, 1, 2]); // [b, q, h, 1]
      const added = matMul(columns, ofGroups(mul(driven, toEnd), e / g));
      const overChunk = reshape(slice(sinceStart, 1, q - 1, q), [batch, h, 1]);
      const kept = reshape(expand(overChunk, [batch, h, p]), [batch, g, 1, e / g]);
      return { states: [add(mul(kept, state), added)], emit: [reshape(y, [batch, q, e])] };
    },
  );
  const joined = reshape(transpose(emitted[0], [1, 0, 2, 3]), [batch, covered, e]);
  return gather(joined, range(tokens), 1);
}

/** A constant with one value per pair of tokens (i, j) of a chunk, in each of its rows. */
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
