import { formatShape } from "../arrays/array.ts";
import { addDims, type Dim, knownSize, multiplyDims, type Shape, sameShape } from "./dim.ts";
import { GraphError } from "./graph-error.ts";
import type { Op, OpAttributes, Sym, TensorType } from "./sym.ts";

type ShapeRule<K extends Op> = (inputs: readonly Sym[], attributes: OpAttributes[K]) => readonly TensorType[];

/** Broadcasts two shapes by NumPy's rule; a symbolic size matches only itself or 1. */
function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    throw new GraphError(`axis ${i} is ${x} on one side and ${y} on the other`);
  });
}

/**
 * A non-negative axis; negative ones count from the end.
 *
 * @throws {GraphError} when it is not below the rank
 */
export function resolveAxis(axis: number, rank: number): number {
  const resolved = axis < 0 ? axis + rank : axis;
  if (!(Number.isInteger(resolved) && resolved >= 0 && resolved < rank)) {
    throw new GraphError(`axis ${axis} does not exist in rank ${rank}`);
  }
  return resolved;
}

function checkSame(a: Dim | string, b: Dim | string, what: string): void {
  if (a !== b) throw new GraphError(`${what}: ${a} is not ${b}`);
}

const like = (x: TensorType): readonly TensorType[] => [{ dtype: x.dtype, shape: x.shape }];
const unary = ([x]: readonly Sym[]) => like(x);
const asBool = (types: readonly TensorType[]) =>
  types.map(({ shape }) => ({ dtype: "bool" as const, shape }));

function binary([a, b]: readonly Sym[]): readonly TensorType[] {
  checkSame(a.dtype, b.dtype, "types differ");
  return [{ dtype: a.dtype, shape: broadcastShapes(a.shape, b.shape) }];
}

const comparison = (inputs: readonly Sym[]) => asBool(binary(inputs));

function reduction(
  [x]: readonly Sym[],
  { axes, keepDims }: OpAttributes["ReduceSum"],
): readonly TensorType[] {
  const reduced = new Set(axes.map((axis) => resolveAxis(axis, x.shape.length)));
  const shape = x.shape.flatMap((dim, i) => (reduced.has(i) ? (keepDims ? [1] : []) : [dim]));
  return [{ dtype: x.dtype, shape }];
}

function alongAxis([x]: readonly Sym[], { axis }: { readonly axis: number }): readonly TensorType[] {
  resolveAxis(axis, x.shape.length);
  return like(x);
}

const replaced = (shape: Shape, axis: number, dim: Dim) => shape.map((old, i) => (i === axis ? dim : old));

function slicedSize(size: Dim, slice: OpAttributes["Slice"]): Dim {
  return typeof size === "number" ? slicedNumber(size, slice) : slicedSymbol(size, slice);
}

function slicedNumber(size: number, { start, end, step }: OpAttributes["Slice"]): number {
  const [first, stop] = [start, end].map((at) => (at < 0 ? at + size : at));
  const [least, most] = step < 0 ? [-1, size - 1] : [0, size];
  const clamped = (at: number) => Math.min(Math.max(at, least), most);
  return Math.max(0, Math.ceil((clamped(stop) - clamped(first)) / step));
}

function slicedSymbol(size: string, { start, end, step }: OpAttributes["Slice"]): Dim {
  if (start === -1 && end === -Number.MAX_SAFE_INTEGER && step === -1) return size;
  if (step !== 1) throw new GraphError(`a step of ${step} along an axis of symbolic size ${size}`);
  if (start >= 0 && end === Number.MAX_SAFE_INTEGER) return addDims(size, -start);
  if (start >= 0 && end < 0) return addDims(size, end - start);
  if (start >= 0 && end >= 0) return end - start;
  if (start < 0 && end === Number.MAX_SAFE_INTEGER) return -start;
  throw new GraphError(`slice ${start} to ${end} of symbolic size ${size}`);
}

/** Types of the outputs of each op from those of its inputs. */
export const shapeRules: { readonly [K in Op]: ShapeRule<K> } = {
  Input: (_, { dtype, shape }) => [{ dtype, shape }],
  Parameter: (_, { dtype, shape }) => [{ dtype, shape }],
  Constant: (_, { array }) => [{ dtype: array.dtype, shape: array.shape }],

  Add: binary,
  Sub: binary,
  Mul: binary,
  Div: binary,
  Pow: binary,
  Max: binary,
  Min: binary,
  Mod: binary,
  Equal: comparison,
  Greater: comparison,
  GreaterOrEqual: comparison,
  Less: comparison,
  LessOrEqual: comparison,
  And: binary,
  Or: binary,
  Not: unary,
  Where: ([condition, a, b]) => {
    checkSame(condition.dtype, "bool", "the condition's type");
    const chosen = binary([a, b])[0];
    return [{ dtype: chosen.dtype, shape: broadcastShapes(condition.shape, chosen.shape) }];
  },

  Neg: unary,
  Abs: unary,
  Exp: unary,
  Log: unary,
  Sqrt: unary,
  Reciprocal: unary,
  Sin: unary,
  Cos: unary,
  Tanh: unary,
  Sigmoid: unary,
  Softplus: unary,
  Erf: unary,
  Relu: unary,
  Floor: unary,
  Sign: unary,
  Gelu: unary,
  LoadParameter: ([parameter]) => [{ dtype: "float32", shape: parameter.shape }],
  Cast: ([x], { to }) => [{ dtype: to, shape: x.shape }],

  MatMul: ([a, b]) => {
    checkSame(a.dtype, b.dtype, "types differ");
    if (a.shape.length < 2 || b.shape.length < 2) throw new GraphError("both need at least two axes");
    const [m, k] = a.shape.slice(-2);
    const [inner, n] = b.shape.slice(-2);
    checkSame(k, inner, "inner axes differ");
    const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
    return [{ dtype: a.dtype, shape: [...batch, m, n] }];
  },
  Gemm: ([a, b, c], { transA, transB }) => {
    if (a.shape.length !== 2 || b.shape.length !== 2) throw new GraphError("both need exactly two axes");
    const [m, k] = transA ? [a.shape[1], a.shape[0]] : [a.shape[0], a.shape[1]];
    const [inner, n] = transB ? [b.shape[1], b.shape[0]] : [b.shape[0], b.shape[1]];
    checkSame(k, inner, "inner axes differ");
    if (c !== undefined && !sameShape(broadcastShapes(c.shape, [m, n]), [m, n])) {
      throw new GraphError(`the bias does not broadcast to ${formatShape([m, n])}`);
    }
    return [{ dtype: a.dtype, shape: [m, n] }];
  },
  Conv: ([x, w, bias], { group, pads, dilation, stride }) => {
    const [batch, channels, length] = x.shape;
    const [out, perGroup, kernel] = w.shape;
    if (x.shape.length !== 3 || w.shape.length !== 3) throw new GraphError("one spatial axis is expected");
    checkSame(channels, multiplyDims(perGroup, group), "channels differ from kernel × groups");
    if (bias !== undefined) checkSame(bias.shape[0], out, "the bias differs from the channels out");
    const span = dilation * (knownSize(kernel, "a kernel") - 1);
    const padded = addDims(length, pads[0] + pads[1] - span);
    const lengthOut =
      stride === 1 ? padded : Math.floor((knownSize(padded, "a strided axis") - 1) / stride) + 1;
    return [{ dtype: x.dtype, shape: [batch, out, lengthOut] }];
  },

  QuantizeLinear: ([x, scale], { to }) => {
    if (x.shape.length !== 2 || !sameShape(scale.shape, [x.shape[0]])) {
      throw new GraphError("rows with one scale each are expected");
    }
    return [{ dtype: to, shape: x.shape }];
  },
  MatMulIntegerToFloat: ([a, b, scale]) => {
    checkSame(a.dtype, "uint8", "the first factor's type");
    checkSame(b.dtype, "int8", "the second factor's type");
    if (a.shape.length !== 2 || b.shape.length !== 2) throw new GraphError("both need exactly two axes");
    checkSame(a.shape[1], b.shape[0], "inner axes differ");
    if (!sameShape(scale.shape, [b.shape[1]])) throw new GraphError("one scale per column is expected");
    return [{ dtype: "float32", shape: [a.shape[0], b.shape[1]] }];
  },

  Softmax: alongAxis,
  LogSoftmax: alongAxis,
  LayerNormalization: ([x, scale], { axis }) => {
    checkSame(x.shape[x.shape.length - 1], scale.shape[0], "the scale differs from the last axis");
    return alongAxis([x], { axis });
  },
  ReduceSum: reduction,
  ReduceMean: reduction,
  ReduceMax: reduction,
  ReduceMin: reduction,
  CumSum: alongAxis,
  ArgMax: ([x], { axis }) => {
    const at = resolveAxis(axis, x.shape.length);
    return [{ dtype: "int64", shape: x.shape.filter((_, i) => i !== at) }];
  },
  TopK: ([x], { axis, k }) => {
    const shape = replaced(x.shape, resolveAxis(axis, x.shape.length), k);
    return [
      { dtype: x.dtype, shape },
      { dtype: "int64", shape },
    ];
  },

  Reshape: ([x], { shape }) => {
    checkSame(multiplyDims(...x.shape), multiplyDims(...shape), "numbers of elements differ");
    return [{ dtype: x.dtype, shape }];
  },
  Expand: ([x], { shape }) => {
    if (!sameShape(broadcastShapes(x.shape, shape), shape)) {
      throw new GraphError(`does not broadcast to ${formatShape(shape)}`);
    }
    return [{ dtype: x.dtype, shape }];
  },
  Transpose: ([x], { perm }) => {
    if ([...perm].sort((a, b) => a - b).some((axis, i) => axis !== i) || perm.length !== x.shape.length) {
      throw new GraphError(`[${perm}] is not a permutation of its axes`);
    }
    return [{ dtype: x.dtype, shape: perm.map((axis) => x.shape[axis]) }];
  },
  Concat: (inputs, { axis }) => {
    const [first, ...rest] = inputs;
    const at = resolveAxis(axis, first.shape.length);
    for (const other of rest) {
      checkSame(other.dtype, first.dtype, "types differ");
      if (!sameShape(replaced(other.shape, at, 0), replaced(first.shape, at, 0))) {
        throw new GraphError(`shapes differ in axes other than ${at}`);
      }
    }
    const size = addDims(...inputs.map(({ shape }) => shape[at]));
    return [{ dtype: first.dtype, shape: replaced(first.shape, at, size) }];
  },
  Split: ([x], { axis, sizes }) => {
    const at = resolveAxis(axis, x.shape.length);
    checkSame(x.shape[at], addDims(...sizes), "the parts do not add up to the axis");
    return sizes.map((size) => ({ dtype: x.dtype, shape: replaced(x.shape, at, size) }));
  },
  Slice: ([x], attributes) => {
    const at = resolveAxis(attributes.axis, x.shape.length);
    return [{ dtype: x.dtype, shape: replaced(x.shape, at, slicedSize(x.shape[at], attributes)) }];
  },
  Pad: ([x], { axis, before, after }) => {
    const at = resolveAxis(axis, x.shape.length);
    return [{ dtype: x.dtype, shape: replaced(x.shape, at, addDims(x.shape[at], before + after)) }];
  },
  Gather: ([x, indices], { axis }) => {
    const at = resolveAxis(axis, x.shape.length);
    return [{ dtype: x.dtype, shape: [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)] }];
  },
  GatherElements: ([x, indices], { axis }) => {
    resolveAxis(axis, x.shape.length);
    checkSame(x.shape.length, indices.shape.length, "ranks differ");
    return [{ dtype: x.dtype, shape: indices.shape }];
  },
  Unfold: ([x], { kernel }) => {
    const [batch, length, ...row] = x.shape;
    if (x.shape.length < 2) throw new GraphError("axis 1 must be the length");
    const windows = knownSize(length, "the length of an unfolded axis") - kernel + 1;
    if (windows < 1) throw new GraphError(`no window of ${kernel} rows fits`);
    return [{ dtype: x.dtype, shape: [batch, windows, kernel, ...row] }];
  },
  ScatterElements: ([x, indices, updates], { axis }) => {
    resolveAxis(axis, x.shape.length);
    if (!sameShape(indices.shape, updates.shape)) throw new GraphError("indices and updates differ");
    return like(x);
  },
  Compress: ([x, condition], { axis, size }) => {
    const at = resolveAxis(axis, x.shape.length);
    checkSame(condition.dtype, "bool", "the condition's type");
    if (!sameShape(condition.shape, [x.shape[at]])) {
      throw new GraphError(`the condition is not one value per row of axis ${at}`);
    }
    return [{ dtype: x.dtype, shape: replaced(x.shape, at, size) }];
  },
  ScatterND: ([x, indices, updates]) => {
    const [rows, depth] = indices.shape;
    if (indices.shape.length !== 2 || depth !== 1) throw new GraphError("one index per row is expected");
    checkSame(updates.dtype, x.dtype, "types differ");
    if (!sameShape(updates.shape, [rows, ...x.shape.slice(1)])) {
      throw new GraphError("the updates are not one row per index");
    }
    return like(x);
  },
  LinearAttention: ([q, k, v, decay]) => {
    const [batch, tokens, states] = q.shape;
    if (q.shape.length !== 3 || !sameShape(q.shape, k.shape)) {
      throw new GraphError("queries and keys of the same three axes are expected");
    }
    knownSize(states, "the number of states");
    const channels = knownSize(v.shape[2], "the number of channels");
    if (!sameShape(v.shape, [batch, tokens, channels])) throw new GraphError("the values have other rows");
    if (!sameShape(decay.shape, [batch, tokens, multiplyDims(channels, states)])) {
      throw new GraphError("the decays are not one value per channel and state");
    }
    return like(v);
  },
  Fill: (_, { shape, dtype }) => [{ dtype, shape }],
  Range: (_, { size }) => [{ dtype: "int64", shape: [size] }],

  Scan: (inputs, { states, elements, results, axis }) => {
    checkSame(inputs.length, states.length + elements.length, "inputs differ from states and elements");
    states.forEach((state, i) => {
      if (!sameShape(state.shape, inputs[i].shape) || !sameShape(state.shape, results[i].shape)) {
        throw new GraphError(`state ${i} changes shape`);
      }
    });
    const steps = inputs[states.length].shape[axis];
    elements.forEach((element, i) => {
      const scanned = inputs[states.length + i].shape;
      if (!sameShape([...scanned.slice(0, axis), ...scanned.slice(axis + 1)], element.shape)) {
        throw new GraphError(
          `element ${i} is ${formatShape(element.shape)}, the input ${formatShape(scanned)}`,
        );
      }
      checkSame(scanned[axis], steps, "scanned lengths differ");
    });
    return results.map(({ dtype, shape }, i) =>
      i < states.length
        ? { dtype, shape }
        : { dtype, shape: [...shape.slice(0, axis), steps, ...shape.slice(axis)] },
    );
  },
};
