import { apply, applyAll } from "./apply.ts";
import type { Sym } from "./sym.ts";
import { input } from "./tensors.ts";

// The functions that build graphs, one vocabulary: files of the package import all of them from here.
export * from "./element-wise.ts";
export * from "./rearrange.ts";
export * from "./tensors.ts";

/** [..., m, k] × [..., k, n] → [..., m, n]; leading axes broadcast. */
export const matMul = (a: Sym, b: Sym) => apply("MatMul", [a, b], {});

/** a·b + c with a [m, k], b [k, n], each transposed on request. */
export function gemm(a: Sym, b: Sym, c?: Sym, { transA = false, transB = false } = {}): Sym {
  return apply("Gemm", c === undefined ? [a, b] : [a, b, c], { transA, transB });
}

/**
 * Rows in whole steps of their scales: round(x / scale) to even, saturated; uint8 values are 128 more.
 *
 * @param x      [m, k]
 * @param scale  [m], greater than 0
 */
export const quantizeRows = (x: Sym, scale: Sym, to: "uint8" | "int8") =>
  apply("QuantizeLinear", [x, scale], { to });

/** (a − 128)·b times a scale per column.  a uint8 [m, k], b int8 [k, n], scale [n] → [m, n] */
export const integerProduct = (a: Sym, b: Sym, scale: Sym) =>
  apply("MatMulIntegerToFloat", [a, b, scale], {});

/** Options of `conv`. */
export interface ConvOptions {
  readonly group?: number;
  /** Zeros before and after the length. */
  readonly pads?: readonly [number, number];
  readonly dilation?: number;
  readonly stride?: number;
}

/** Cross-correlation along the last axis: x [batch, channels, length], w [out, channels / group, kernel]. */
export function conv(x: Sym, w: Sym, bias?: Sym, options: ConvOptions = {}): Sym {
  const { group = 1, pads = [0, 0], dilation = 1, stride = 1 } = options;
  return apply("Conv", bias === undefined ? [x, w] : [x, w, bias], { group, pads, dilation, stride });
}

/** eˣ / Σ eˣ along an axis; default: the last. */
export const softmax = (x: Sym, axis = -1) => apply("Softmax", [x], { axis });
/** Logarithm of the softmax along an axis, nats. */
export const logSoftmax = (x: Sym, axis = -1) => apply("LogSoftmax", [x], { axis });

/** (x − mean) / √(variance + ε) · scale + bias over the last axis; the variance is the biased one. */
export function layerNormalization(x: Sym, scale: Sym, bias: Sym | undefined, epsilon: number): Sym {
  return apply("LayerNormalization", bias === undefined ? [x, scale] : [x, scale, bias], {
    axis: -1,
    epsilon,
  });
}

const reduction =
  (op: "ReduceSum" | "ReduceMean" | "ReduceMax" | "ReduceMin") =>
  (x: Sym, axes: readonly number[], { keepDims = false } = {}) =>
    axes.length === 0 ? x : apply(op, [x], { axes, keepDims });

/** Sum over axes. */
export const reduceSum = reduction("ReduceSum");
/** Mean over axes. */
export const reduceMean = reduction("ReduceMean");
/** Maximum over axes. */
export const reduceMax = reduction("ReduceMax");
/** Minimum over axes. */
export const reduceMin = reduction("ReduceMin");

/** Cumulative sum along an axis; `exclusive` leaves out the element itself, `reverse` starts at the end. */
export function cumSum(x: Sym, axis: number, { exclusive = false, reverse = false } = {}): Sym {
  return apply("CumSum", [x], { axis, exclusive, reverse });
}

/** Index of the maximum along an axis, int64; the axis is removed. */
export const argMax = (x: Sym, axis: number) => apply("ArgMax", [x], { axis });

/** The k largest along an axis, largest first, ties to the lower index. */
export function topK(x: Sym, k: number, axis = -1): { readonly values: Sym; readonly indices: Sym } {
  const [values, indices] = applyAll("TopK", [x], { axis, k });
  return { values, indices };
}

/** Largest number of states of a channel in `linearAttention`: the limit of WebGPU. */
export const MAX_STATES = 256;

/**
 * Linear attention with gates (Yang et al. 2024, arXiv:2312.06635, eq. 3), one query and key for all
 * channels: a recurrence over the tokens with h₀ = 0.
 *
 *     h_t[e, n] = exp(g_t[e, n])·h_{t−1}[e, n] + v_t[e]·k_t[n]
 *     y_t[e] = Σ_n q_t[n]·h_t[e, n]
 *
 * @param q      [b, t, n]
 * @param k      [b, t, n]
 * @param v      [b, t, e]
 * @param decay  g, [b, t, e·n], 0 or less
 * @returns      y, [b, t, e]
 */
export const linearAttention = (q: Sym, k: Sym, v: Sym, decay: Sym) =>
  apply("LinearAttention", [q, k, v, decay], {});

/** Results of `scan`. */
export interface Loop {
  readonly states: readonly Sym[];
  readonly emitted: readonly Sym[];
}

/**
 * A loop along one axis: `body(states, elements)` returns the next states and the values emitted at this
 * step.
 *
 * @returns final states, and the emitted values stacked along the same axis
 */
export function scan(
  initial: readonly Sym[],
  scanned: readonly Sym[],
  body: (
    states: readonly Sym[],
    elements: readonly Sym[],
  ) => { states: readonly Sym[]; emit: readonly Sym[] },
  { axis = 0, reverse = false } = {},
): Loop {
  const level = (loopCount++).toString(36);
  const states = initial.map((x, i) => input(`state_${level}_${i}`, x.dtype, x.shape));
  const elements = scanned.map((x, i) =>
    input(`element_${level}_${i}`, x.dtype, [...x.shape.slice(0, axis), ...x.shape.slice(axis + 1)]),
  );
  const next = body(states, elements);
  const results = [...next.states, ...next.emit];
  const outputs = applyAll("Scan", [...initial, ...scanned], { states, elements, results, axis, reverse });
  return { states: outputs.slice(0, states.length), emitted: outputs.slice(states.length) };
}

/** Makes the names of loop variables unique in a graph; nothing else depends on it. */
let loopCount = 0;
