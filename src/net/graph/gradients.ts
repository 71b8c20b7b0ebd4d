import { InternalError } from "../../base/errors.ts";
import * as g from "./build.ts";
import { convolutionGradients, unfoldGradient } from "./convolution-gradient.ts";
import { knownSize, multiplyDims, type Shape, sameShape } from "./dim.ts";
import type { GradientRule, InputGradients } from "./gradient-rule.ts";
import { linearAttentionGradients } from "./linear-attention-gradient.ts";
import { scanGradient } from "./scan-gradient.ts";
import { resolveAxis } from "./shapes.ts";
import type { Node, Op, Sym } from "./sym.ts";

/** Gradient of an op's only output; rules are not called where it is null. */
function onlyGradient([dy]: readonly (Sym | null)[]): Sym {
  if (dy == null) throw new InternalError("a gradient rule was called without a gradient");
  return dy;
}

/** A rule of an op with one output. */
const single =
  <K extends Op>(
    rule: (dy: Sym, inputs: readonly Sym[], y: Sym, attributes: Node<K>["attributes"]) => InputGradients,
  ) =>
  (dy: readonly (Sym | null)[], node: Node<K>, y: readonly Sym[]): InputGradients =>
    rule(onlyGradient(dy), node.inputs, y[0], node.attributes);

const unary = (rule: (dy: Sym, x: Sym, y: Sym) => Sym) => single<Op>((dy, [x], y) => [rule(dy, x, y)]);

const nothing = (_: readonly (Sym | null)[], node: Node): InputGradients => node.inputs.map(() => null);

/**
 * Sums a gradient over the axes along which its tensor was broadcast: leading axes first, unless the
 * innermost is among the others, over which ONNX Runtime sums several times as fast.
 */
function sumTo(dy: Sym, shape: Shape): Sym {
  if (sameShape(dy.shape, shape)) return dy;
  const extra = dy.shape.length - shape.length;
  const leading = Array.from({ length: extra }, (_, axis) => axis);
  const repeated = shape.flatMap((dim, i) => (dim === 1 && dy.shape[extra + i] !== 1 ? [extra + i] : []));
  if (repeated.includes(dy.shape.length - 1)) {
    return g.reduceSum(g.reduceSum(dy, repeated, { keepDims: true }), leading);
  }
  const inner = repeated.map((axis) => axis - extra);
  return g.reduceSum(g.reduceSum(dy, leading), inner, { keepDims: true });
}

/** Broadcasts the gradient of a reduction back over the reduced axes. */
function spread(dy: Sym, x: Sym, axes: readonly number[]): Sym {
  const reduced = new Set(axes.map((axis) => resolveAxis(axis, x.shape.length)));
  const kept = x.shape.map((dim, axis) => (reduced.has(axis) ? 1 : dim));
  return g.expand(g.reshape(dy, kept), x.shape);
}

/** Shares the gradient of a maximum or minimum equally among the elements that attain it. */
function toExtremes(dy: Sym, x: Sym, y: Sym, axes: readonly number[]): Sym {
  const attained = g.cast(g.equal(x, spread(y, x, axes)), x.dtype);
  const share = g.div(attained, g.reduceSum(attained, axes, { keepDims: true }));
  return g.mul(spread(dy, x, axes), share);
}

/** Number of elements along the axes, as a scalar tensor where it is symbolic. */
function countOf(x: Sym, axes: readonly number[]): Sym | number {
  const count = multiplyDims(...axes.map((axis) => x.shape[resolveAxis(axis, x.shape.length)]));
  return typeof count === "number" ? count : g.reduceSum(g.fill([count], 1, x.dtype), [0]);
}

/** Rows as one axis, the last axis kept. */
const flatRows = (x: Sym) =>
  g.reshape(x, [multiplyDims(...x.shape.slice(0, -1)), x.shape[x.shape.length - 1]]);

/**
 * For a weight shared by all leading axes, dW is one product over all rows instead of a product per batch and
 * a sum; for one on the left, the sum is a product with ones, which is faster than `ReduceSum`.
 */
function matMulGradients(dy: Sym, [a, b]: readonly Sym[]): InputGradients {
  const [left, right] = [a.shape.length, b.shape.length];
  const da = g.matMul(dy, g.swapLast(b));
  return [
    left === 2 && right > 2 ? sumOfMatrices(da) : sumTo(da, a.shape),
    right === 2 && left > 2
      ? g.gemm(flatRows(a), flatRows(dy), undefined, { transA: true })
      : sumTo(g.matMul(g.swapLast(a), dy), b.shape),
  ];
}

/** [..., m, n] → [m, n] */
function sumOfMatrices(x: Sym): Sym {
  const count = multiplyDims(...x.shape.slice(0, -2));
  const matrix = x.shape.slice(-2);
  const rows = g.reshape(x, [count, multiplyDims(...matrix)]);
  return g.reshape(g.matMul(g.fill([1, count], 1, x.dtype), rows), matrix);
}

function gemmGradients(dy: Sym, [a, b, c]: readonly Sym[], transA: boolean, transB: boolean): InputGradients {
  const da = transA
    ? g.gemm(b, dy, undefined, { transA: transB, transB: true })
    : g.gemm(dy, b, undefined, { transB: !transB });
  const db = transB
    ? g.gemm(dy, a, undefined, { transA: true, transB: transA })
    : g.gemm(a, dy, undefined, { transA: !transA });
  return c === undefined ? [da, db] : [da, db, sumTo(dy, c.shape)];
}

function normGradients(dy: Sym, [x, scale, bias]: readonly Sym[], epsilon: number): InputGradients {
  const axis = [x.shape.length - 1];
  const keep = { keepDims: true };
  const centred = g.sub(x, g.reduceMean(x, axis, keep));
  const inverse = g.reciprocal(g.sqrt(g.add(g.reduceMean(g.mul(centred, centred), axis, keep), epsilon)));
  const normal = g.mul(centred, inverse);
  const scaled = g.mul(dy, scale);
  const along = g.reduceMean(g.mul(scaled, normal), axis, keep);
  const dx = g.mul(inverse, g.sub(g.sub(scaled, g.reduceMean(scaled, axis, keep)), g.mul(normal, along)));
  const dScale = sumTo(g.mul(dy, normal), scale.shape);
  return bias === undefined ? [dx, dScale] : [dx, dScale, sumTo(dy, bias.shape)];
}

/** Adds rows of dy to zeros of x's shape at the positions they were taken from. */
function ungather(dy: Sym, x: Sym, indices: Sym, axis: number): Sym {
  const at = resolveAxis(axis, x.shape.length);
  const rank = indices.shape.length;
  const rest = x.shape.filter((_, i) => i !== at);
  const count = multiplyDims(...indices.shape);
  const toFront = [
    ...Array.from({ length: rank }, (_, i) => at + i),
    ...dy.shape.map((_, i) => i).filter((i) => i < at || i >= at + rank),
  ];
  const width = multiplyDims(...rest);
  const rows = g.reshape(g.transpose(dy, toFront), [count, width]);
  const positions = g.expand(g.reshape(g.cast(indices, "int64"), [count, 1]), [count, width]);
  const size = x.shape[at];
  const added = g.scatterElements(g.fill([size, width], 0, x.dtype), positions, rows, 0, "add");
  const back = rest.map((_, i) => i + 1);
  back.splice(at, 0, 0);
  return g.transpose(g.reshape(added, [size, ...rest]), back);
}

/** Pads the gradient of a slice with zeros. */
function unslice(dy: Sym, x: Sym, { axis, start, end, step }: Node<"Slice">["attributes"]): Sym {
  const at = resolveAxis(axis, x.shape.length);
  const size = x.shape[at];
  if (step === -1 && dy.shape[at] === size) return g.flip(dy, at);
  if (step !== 1) {
    const positions = g.slice(g.range(size), 0, start, end, step);
    return ungather(dy, x, positions, at);
  }
  const last = Number.MAX_SAFE_INTEGER;
  if (typeof size === "number") {
    const before = start < 0 ? Math.max(start + size, 0) : Math.min(start, size);
    return g.pad(dy, at, before, size - before - knownSize(dy.shape[at], "a slice"));
  }
  if (start >= 0 && (end < 0 || end === last)) return g.pad(dy, at, start, end === last ? 0 : -end);
  return ungather(dy, x, g.slice(g.range(size), 0, start, end), at);
}

function powGradients(dy: Sym, [x, p]: readonly Sym[], y: Sym): InputGradients {
  return [
    sumTo(g.mul(dy, g.mul(p, g.pow(x, g.sub(p, 1)))), x.shape),
    sumTo(g.mul(dy, g.mul(y, g.log(x))), p.shape),
  ];
}

/** The larger (or smaller) of two takes the gradient; at a tie each takes half, as in PyTorch. */
function extremumGradients(dy: Sym, [a, b]: readonly Sym[], wins: (a: Sym, b: Sym) => Sym): InputGradients {
  const share = (first: Sym, second: Sym) => {
    const half = g.where(g.equal(first, second), g.mul(dy, 0.5), 0);
    return g.where(wins(first, second), dy, half);
  };
  return [sumTo(share(a, b), a.shape), sumTo(share(b, a), b.shape)];
}

const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);

function geluGradient(dy: Sym, x: Sym, approximate: "none" | "tanh"): Sym {
  if (approximate === "none") {
    const cdf = g.mul(g.add(g.erf(g.mul(x, Math.SQRT1_2)), 1), 0.5);
    const density = g.mul(g.exp(g.mul(g.mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return g.mul(dy, g.add(cdf, g.mul(x, density)));
  }
  const square = g.mul(x, x);
  const t = g.tanh(g.mul(g.mul(x, g.add(g.mul(square, 0.044715), 1)), SQRT_2_OVER_PI));
  const inner = g.mul(g.add(g.mul(square, 3 * 0.044715), 1), SQRT_2_OVER_PI);
  const slope = g.mul(g.mul(g.sub(1, g.mul(t, t)), inner), x);
  return g.mul(dy, g.mul(g.add(g.add(t, 1), slope), 0.5));
}

function concatGradients(dy: Sym, parts: readonly Sym[], axis: number): InputGradients {
  const at = resolveAxis(axis, dy.shape.length);
  const sizes = parts.map(({ shape }) => shape[at]);
  if (sizes.every((size) => typeof size === "number")) return g.split(dy, at, sizes);
  if (new Set(sizes).size > 1)
    throw new InternalError("the gradient of parts of different symbolic sizes cannot be split");
  const rows = g.reshape(dy, [...dy.shape.slice(0, at), parts.length, sizes[0], ...dy.shape.slice(at + 1)]);
  return parts.map((_, i) => g.squeeze(g.slice(rows, at, i, i + 1), at));
}

/** Reverse-mode rules, one per op; the compiler reports missing ones. */
export const gradients: { readonly [K in Op]: GradientRule<K> } = {
  Input: nothing,
  Parameter: nothing,
  Constant: nothing,
  Fill: nothing,
  Range: nothing,
  ArgMax: nothing,
  Equal: nothing,
  Greater: nothing,
  GreaterOrEqual: nothing,
  Less: nothing,
  LessOrEqual: nothing,
  And: nothing,
  Or: nothing,
  Not: nothing,
  Mod: nothing,
  Floor: nothing,
  Sign: nothing,
  QuantizeLinear: nothing,

  Add: single((dy, [a, b]) => [sumTo(dy, a.shape), sumTo(dy, b.shape)]),
  Sub: single((dy, [a, b]) => [sumTo(dy, a.shape), sumTo(g.neg(dy), b.shape)]),
  Mul: single((dy, [a, b]) => [sumTo(g.mul(dy, b), a.shape), sumTo(g.mul(dy, a), b.shape)]),
  Div: single((dy, [a, b], y) => [
    sumTo(g.div(dy, b), a.shape),
    sumTo(g.neg(g.div(g.mul(dy, y), b)), b.shape),
  ]),
  Pow: single((dy, inputs, y) => powGradients(dy, inputs, y)),
  Max: single((dy, inputs) => extremumGradients(dy, inputs, g.greater)),
  Min: single((dy, inputs) => extremumGradients(dy, inputs, g.less)),
  Where: single((dy, [condition, a, b]) => [
    null,
    sumTo(g.where(condition, dy, 0), a.shape),
    sumTo(g.where(condition, 0, dy), b.shape),
  ]),

  LoadParameter: single((dy) => [dy, null]),

  Neg: unary((dy) => g.neg(dy)),
  Abs: unary((dy, x) => g.mul(dy, g.sign(x))),
  Exp: unary((dy, _, y) => g.mul(dy, y)),
  Log: unary((dy, x) => g.div(dy, x)),
  Sqrt: unary((dy, _, y) => g.div(g.mul(dy, 0.5), y)),
  Reciprocal: unary((dy, _, y) => g.neg(g.mul(dy, g.mul(y, y)))),
  Sin: unary((dy, x) => g.mul(dy, g.cos(x))),
  Cos: unary((dy, x) => g.neg(g.mul(dy, g.sin(x)))),
  Tanh: unary((dy, _, y) => g.mul(dy, g.sub(1, g.mul(y, y)))),
  Sigmoid: unary((dy, _, y) => g.mul(dy, g.mul(y, g.sub(1, y)))),
  Softplus: unary((dy, x) => g.mul(dy, g.sigmoid(x))),
  Erf: unary((dy, x) => g.mul(dy, g.mul(g.exp(g.neg(g.mul(x, x))), 2 / Math.sqrt(Math.PI)))),
  // A product with 0 and 1: ONNX Runtime's `Where` takes four passes.
  Relu: unary((dy, _, y) => g.mul(dy, g.cast(g.greater(y, 0), dy.dtype))),
  Gelu: single<"Gelu">((dy, [x], _, { approximate }) => [geluGradient(dy, x, approximate)]),
  Cast: single((dy, [x]) => [x.dtype.startsWith("float") ? g.cast(dy, x.dtype) : null]),

  MatMul: single((dy, inputs) => matMulGradients(dy, inputs)),
  Gemm: single<"Gemm">((dy, inputs, _, { transA, transB }) => gemmGradients(dy, inputs, transA, transB)),
  MatMulIntegerToFloat: single((dy, [, , scale], y) => [
    null,
    null,
    sumTo(g.div(g.mul(dy, y), scale), scale.shape),
  ]),
  Conv: (dy, node) => convolutionGradients(onlyGradient(dy), node.inputs, node),

  Softmax: single<"Softmax">((dy, _, y, { axis }) => [
    g.mul(y, g.sub(dy, g.reduceSum(g.mul(dy, y), [axis], { keepDims: true }))),
  ]),
  LogSoftmax: single<"LogSoftmax">((dy, _, y, { axis }) => [
    g.sub(dy, g.mul(g.exp(y), g.reduceSum(dy, [axis], { keepDims: true }))),
  ]),
  LayerNormalization: single<"LayerNormalization">((dy, inputs, _, { epsilon }) =>
    normGradients(dy, inputs, epsilon),
  ),
  ReduceSum: single<"ReduceSum">((dy, [x], _, { axes }) => [spread(dy, x, axes)]),
  ReduceMean: single<"ReduceMean">((dy, [x], _, { axes }) => [spread(g.div(dy, countOf(x, axes)), x, axes)]),
  ReduceMax: single<"ReduceMax">((dy, [x], y, { axes }) => [toExtremes(dy, x, y, axes)]),
  ReduceMin: single<"ReduceMin">((dy, [x], y, { axes }) => [toExtremes(dy, x, y, axes)]),
  CumSum: single<"CumSum">((dy, _, __, { axis, exclusive, reverse }) => [
    g.cumSum(dy, axis, { exclusive, reverse: !reverse }),
  ]),
  TopK: (dy, { inputs: [x], attributes: { axis } }, [, indices]) => [
    dy[0] === null ? null : g.scatterElements(g.fill(x.shape, 0, x.dtype), indices, dy[0], axis, "add"),
  ],

  Reshape: single((dy, [x]) => [g.reshape(dy, x.shape)]),
  Expand: single((dy, [x]) => [sumTo(dy, x.shape)]),
  Transpose: single<"Transpose">((dy, _, __, { perm }) => [
    g.transpose(
      dy,
      perm.map((_axis, i) => perm.indexOf(i)),
    ),
  ]),
  Concat: single<"Concat">((dy, parts, _, { axis }) => concatGradients(dy, parts, axis)),
  Split: (dy, { attributes: { axis } }, y) => [
    g.concat(
      dy.map((part, i) => part ?? g.fill(y[i].shape, 0, y[i].dtype)),
      axis,
    ),
  ],
  Slice: single<"Slice">((dy, [x], _, attributes) => [unslice(dy, x, attributes)]),
  Pad: single<"Pad">((dy, _, __, { axis, before, after }) => [
    g.slice(dy, axis, before, after === 0 ? undefined : -after),
  ]),
  Gather: single<"Gather">((dy, [x, indices], _, { axis }) => [ungather(dy, x, indices, axis), null]),
  GatherElements: single<"GatherElements">((dy, [x, indices], _, { axis }) => [
    g.scatterElements(g.fill(x.shape, 0, x.dtype), indices, dy, axis, "add"),
    null,
  ]),
  Unfold: single<"Unfold">((dy, [x], _, attributes) => [unfoldGradient(dy, x, attributes)]),
  ScatterElements: single<"ScatterElements">((dy, [, indices, updates], _, { axis, reduction }) => [
    reduction === "add" ? dy : g.scatterElements(dy, indices, g.fill(updates.shape, 0, updates.dtype), axis),
    null,
    g.gatherElements(dy, indices, axis),
  ]),
  Compress: single<"Compress">((dy, [x, condition], _, { axis, size }) => {
    const kept = g.compress(g.range(x.shape[resolveAxis(axis, x.shape.length)]), condition, 0, size);
    return [ungather(dy, x, kept, axis), null];
  }),
  ScatterND: single<"ScatterND">((dy, [x, indices], _, { reduction }) => {
    const rows = g.squeeze(indices, 1);
    const placed = g.gather(dy, rows);
    const zeros = g.fill(x.shape, 0, x.dtype);
    return [reduction === "add" ? dy : g.sub(dy, g.scatterRows(zeros, rows, placed)), null, placed];
  }),

  LinearAttention: single((dy, inputs) => linearAttentionGradients(dy, inputs)),

  Scan: scanGradient,
};
