import { type DType, formatShape, type NdArray } from "../arrays/array.ts";
import { apply, applyAll } from "./apply.ts";
import { type Dim, type Shape, sameShape } from "./dim.ts";
import { GraphError } from "./graph-error.ts";
import { resolveAxis } from "./shapes.ts";
import { isOp, type Sym } from "./sym.ts";

/** A tensor, or a number that takes the element type of the other operand. */
export type Operand = Sym | number;

/** A tensor fed at every run. Symbolic sizes are bound by the first input that has them. */
export function input(name: string, dtype: DType, shape: Shape): Sym {
  return apply("Input", [], { name, dtype, shape });
}

/** A tensor bound once, when the program is opened. */
export function parameter(name: string, shape: readonly number[], dtype: DType = "float32"): Sym {
  return apply("Parameter", [], { name, shape, dtype });
}

/** An array with fixed values. */
export function constant(array: NdArray): Sym {
  return apply("Constant", [], { array });
}

const typed: Partial<Record<DType, (value: number) => NdArray["data"]>> = {
  float32: (value) => Float32Array.of(value),
  float64: (value) => Float64Array.of(value),
  int32: (value) => Int32Array.of(value),
  int64: (value) => BigInt64Array.of(BigInt(value)),
  bool: (value) => Uint8Array.of(value),
};

/** A constant without axes. */
export function scalar(value: number, dtype: DType = "float32"): Sym {
  const make = typed[dtype];
  if (make === undefined) throw new GraphError(`no constant of type ${dtype}`);
  return constant({ dtype, shape: [], data: make(value) });
}

function operands(a: Operand, b: Operand): readonly [Sym, Sym] {
  if (typeof a !== "number") return [a, typeof b === "number" ? scalar(b, a.dtype) : b];
  if (typeof b === "number") throw new GraphError("one operand must be a tensor");
  return [scalar(a, b.dtype), b];
}

type BinaryOp =
  | "Add"
  | "Sub"
  | "Mul"
  | "Div"
  | "Pow"
  | "Max"
  | "Min"
  | "Mod"
  | "Equal"
  | "Greater"
  | "GreaterOrEqual"
  | "Less"
  | "LessOrEqual";

const binary = (op: BinaryOp) => (a: Operand, b: Operand) => apply(op, operands(a, b), {});

/** a + b; shapes broadcast, here and in all binary operations. */
export const add = binary("Add");
/** a − b. */
export const sub = binary("Sub");
/** a · b, element by element. */
export const mul = binary("Mul");
/** a / b. */
export const div = binary("Div");
/** aᵇ. */
export const pow = binary("Pow");
/** The larger of a and b. */
export const maximum = binary("Max");
/** The smaller of a and b. */
export const minimum = binary("Min");
/** a modulo b, with the sign of b; integers. */
export const mod = binary("Mod");
/** a = b, as bool. */
export const equal = binary("Equal");
/** a > b, as bool. */
export const greater = binary("Greater");
/** a ≥ b, as bool. */
export const greaterOrEqual = binary("GreaterOrEqual");
/** a < b, as bool. */
export const less = binary("Less");
/** a ≤ b, as bool. */
export const lessOrEqual = binary("LessOrEqual");

/** Both are true; bool tensors. */
export const and = (a: Sym, b: Sym) => apply("And", [a, b], {});
/** At least one is true; bool tensors. */
export const or = (a: Sym, b: Sym) => apply("Or", [a, b], {});
/** Negation of a bool tensor. */
export const not = (x: Sym) => apply("Not", [x], {});

/** a where the condition holds, else b. */
export function where(condition: Sym, a: Operand, b: Operand): Sym {
  return apply("Where", [condition, ...operands(a, b)], {});
}

type UnaryOp =
  | "Neg"
  | "Abs"
  | "Exp"
  | "Log"
  | "Sqrt"
  | "Reciprocal"
  | "Sin"
  | "Cos"
  | "Tanh"
  | "Sigmoid"
  | "Softplus"
  | "Erf"
  | "Relu"
  | "Floor"
  | "Sign";

const unary = (op: UnaryOp) => (x: Sym) => apply(op, [x], {});

/** −x. */
export const neg = unary("Neg");
/** |x|. */
export const abs = unary("Abs");
/** eˣ. */
export const exp = unary("Exp");
/** Natural logarithm. */
export const log = unary("Log");
/** √x. */
export const sqrt = unary("Sqrt");
/** 1 / x. */
export const reciprocal = unary("Reciprocal");
/** Sine of x in radians. */
export const sin = unary("Sin");
/** Cosine of x in radians. */
export const cos = unary("Cos");
/** Hyperbolic tangent. */
export const tanh = unary("Tanh");
/** 1 / (1 + e⁻ˣ). */
export const sigmoid = unary("Sigmoid");
/** ln(1 + eˣ). */
export const softplus = unary("Softplus");
/** Error function. */
export const erf = unary("Erf");
/** ReLU is applied before the reshape of a product, because ONNX Runtime fuses a product and its ReLU. */
export function relu(x: Sym): Sym {
  const { node } = x;
  return isOp(node, "Reshape") ? reshape(apply("Relu", node.inputs, {}), x.shape) : apply("Relu", [x], {});
}
/** Largest integer not above x. */
export const floor = unary("Floor");
/** −1, 0 or 1. */
export const sign = unary("Sign");

/** x·sigmoid(x). */
export const silu = (x: Sym) => mul(x, sigmoid(x));
/**
 * Gaussian error linear unit: by erf, or by the tanh approximation that some checkpoints were trained with.
 */
export const gelu = (x: Sym, approximate: "none" | "tanh" = "none") => apply("Gelu", [x], { approximate });

/** x with another element type. */
export function cast(x: Sym, to: DType): Sym {
  return x.dtype === to ? x : apply("Cast", [x], { to });
}

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
  return { values: values!, indices: indices! };
}

/** x with another shape and the same elements in row-major order. */
export function reshape(x: Sym, shape: Shape): Sym {
  if (sameShape(x.shape, shape)) return x;
  const { node } = x;
  return apply("Reshape", [isOp(node, "Reshape") ? node.inputs[0] : x], { shape });
}

/** Repeats axes of size 1 (or absent in front) to the given shape. */
export function expand(x: Sym, shape: Shape): Sym {
  return sameShape(x.shape, shape) ? x : apply("Expand", [x], { shape });
}

/** Permutes axes: axis i of the result is axis perm[i] of x. */
export function transpose(x: Sym, perm: readonly number[]): Sym {
  const { node } = x;
  const inner = isOp(node, "Transpose") ? node : undefined;
  const order = inner === undefined ? perm : perm.map((axis) => inner.attributes.perm[axis]);
  const source = inner === undefined ? x : inner.inputs[0];
  return order.every((axis, i) => axis === i) && order.length === x.shape.length
    ? source
    : apply("Transpose", [source], { perm: order });
}

/** Exchanges the last two axes. */
export function swapLast(x: Sym): Sym {
  const order = x.shape.map((_, i) => i);
  const n = order.length;
  return transpose(x, [...order.slice(0, n - 2), n - 1, n - 2]);
}

/** Inserts an axis of size 1. */
export function unsqueeze(x: Sym, axis: number): Sym {
  const at = resolveAxis(axis, x.shape.length + 1);
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

/** Removes an axis of size 1. */
export function squeeze(x: Sym, axis: number): Sym {
  const at = resolveAxis(axis, x.shape.length);
  if (x.shape[at] !== 1) throw new GraphError(`axis ${axis} of ${formatShape(x.shape)} is not 1`);
  return reshape(
    x,
    x.shape.filter((_, i) => i !== at),
  );
}

/** Joins tensors along an axis. */
export function concat(parts: readonly Sym[], axis: number): Sym {
  return parts.length === 1 ? parts[0] : apply("Concat", parts, { axis });
}

/** Splits an axis into parts of the given sizes. */
export function split(x: Sym, axis: number, sizes: readonly number[]): readonly Sym[] {
  return sizes.length === 1 ? [x] : applyAll("Split", [x], { axis, sizes });
}

/**
 * Positions [start, end) of an axis; negative positions count from the end, the default `end` is the end of
 * the axis.
 */
export function slice(
  x: Sym,
  axis: number,
  start: number,
  end: number = Number.MAX_SAFE_INTEGER,
  step = 1,
): Sym {
  const size = x.shape[resolveAxis(axis, x.shape.length)];
  const whole = step === 1 && start === 0 && (end === Number.MAX_SAFE_INTEGER || end === size);
  return whole ? x : apply("Slice", [x], { axis, start, end, step });
}

/** Reverses an axis. */
export function flip(x: Sym, axis: number): Sym {
  return apply("Slice", [x], { axis, start: -1, end: -Number.MAX_SAFE_INTEGER, step: -1 });
}

/** Pads an axis with a constant. */
export function pad(x: Sym, axis: number, before: number, after: number, value = 0): Sym {
  return before === 0 && after === 0 ? x : apply("Pad", [x], { axis, before, after, value });
}

/** Rows of x along an axis; the axis is replaced by the axes of the integer tensor `indices`. */
export const gather = (x: Sym, indices: Sym, axis = 0) => apply("Gather", [x, indices], { axis });
/**
 * Windows of `kernel` neighbouring rows: [b, l, …] → [b, l − kernel + 1, kernel, …]. Multiplied by a kernel,
 * they give a convolution.
 */
export const unfold = (x: Sym, kernel: number) =>
  kernel === 1 ? unsqueeze(x, 2) : apply("Unfold", [x], { kernel });
/**
 * Elements of x along an axis, one per element of the int64 tensor `indices`, whose shape is the result's.
 */
export const gatherElements = (x: Sym, indices: Sym, axis: number) =>
  apply("GatherElements", [x, indices], { axis });

/** x with `updates` at `indices` along an axis, replaced or added; inverse of `gatherElements`. */
export function scatterElements(
  x: Sym,
  indices: Sym,
  updates: Sym,
  axis: number,
  reduction: "none" | "add" = "none",
): Sym {
  return apply("ScatterElements", [x, indices, updates], { axis, reduction });
}

/**
 * Rows of x along an axis for which a condition holds, in order. Their number is known when the program runs;
 * `size` names it in shapes and must be unique to the condition.
 *
 * @param condition  bool, one per row
 */
export const compress = (x: Sym, condition: Sym, axis: number, size: string) =>
  apply("Compress", [x, condition], { axis, size });

/**
 * x with row i of `updates` in place of row rows[i], or added to it.
 *
 * @param rows     int64 [n], no row twice
 * @param updates  [n, …]
 */
export function scatterRows(x: Sym, rows: Sym, updates: Sym, reduction: "none" | "add" = "none"): Sym {
  return apply("ScatterND", [x, unsqueeze(rows, 1), updates], { reduction });
}

/** Largest number of states of a channel in `linearAttention`: the limit of WebGPU. */
export const MOST_STATES = 256;

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

/** A tensor of one value. */
export function fill(shape: Shape, value: number, dtype: DType = "float32"): Sym {
  return apply("Fill", [], { shape, value, dtype });
}

/** 0, 1, …, size − 1 as int64. */
export const range = (size: Dim) => apply("Range", [], { size });

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
