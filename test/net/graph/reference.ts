import type { NdArray } from "../../../src/net/arrays/array.ts";
import { narrowToFloat16, widenToFloat32 } from "../../../src/net/arrays/float-conversion.ts";
import { dimTerms, type Shape } from "../../../src/net/graph/dim.ts";
import { ancestorsOf } from "../../../src/net/graph/graph.ts";
import { resolveAxis } from "../../../src/net/graph/shapes.ts";
import type { Node, Op, OpAttributes, Sym } from "../../../src/net/graph/sym.ts";

/**
 * An array in float64, whatever its element type in the graph, with values of float16 rounded to it; bool is
 * 0 and 1.
 */
export interface Values {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export type Feeds = Readonly<Record<string, Values>>;

/**
 * A plain interpreter of graphs in float64, op by op from their definitions: the reference for ONNX Runtime
 * and for gradients. Simple, not fast.
 */
export function evaluate(outputs: readonly Sym[], feeds: Feeds): readonly Values[] {
  const values = new Map<Node, readonly Values[]>();
  const sizes = new Map<string, number>();
  // Inputs first: they bind the symbolic sizes, which any node may use.
  const inputs = ancestorsOf(outputs).filter((node) => node.op === "Input");
  run(
    inputs.map((node) => ({ node, output: 0, ...node.outputs[0] })),
    feeds,
    values,
    sizes,
  );
  run(outputs, feeds, values, sizes);
  return outputs.map(({ node, output }) => values.get(node)![output]);
}

export function valuesOf(array: NdArray): Values {
  return { shape: array.shape, data: Float64Array.from(array.data as ArrayLike<number | bigint>, Number) };
}

interface Context {
  readonly feeds: Feeds;
  readonly values: Map<Node, readonly Values[]>;
  readonly sizes: Map<string, number>;
}

function run(roots: readonly Sym[], feeds: Feeds, values: Context["values"], sizes: Context["sizes"]): void {
  for (const node of ancestorsOf(roots)) {
    if (values.has(node)) continue;
    const inputs = node.inputs.map((sym) => values.get(sym.node)![sym.output]);
    const rule = rules[node.op] as (
      x: readonly Values[],
      a: unknown,
      c: Context,
      n: Node,
    ) => Values | Values[];
    const result = rule(inputs, node.attributes, { feeds, values, sizes }, node);
    const results = Array.isArray(result) ? result : [result];
    values.set(
      node,
      results.map((each, i) => (node.outputs[i]?.dtype === "float16" ? inFloat16(each) : each)),
    );
  }
}

function inFloat16({ shape, data }: Values): Values {
  const rounded = widenToFloat32("float16", narrowToFloat16(Float32Array.from(data)));
  return { shape, data: Float64Array.from(rounded) };
}

const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

const knownStrides = new WeakMap<readonly number[], readonly number[]>();

/** Elements between neighbours along each axis, in C order. */
function strides(shape: readonly number[]): readonly number[] {
  const known = knownStrides.get(shape);
  if (known !== undefined) return known;
  const result = shape.map(() => 1);
  for (let i = shape.length - 2; i >= 0; i--) result[i] = result[i + 1] * shape[i + 1];
  knownStrides.set(shape, result);
  return result;
}

/** A new array with each element computed from its coordinates. */
function build(shape: readonly number[], element: (at: readonly number[]) => number): Values {
  const data = new Float64Array(count(shape));
  const at = shape.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = element(at);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at[axis]++;
      if (at[axis] < shape[axis]) break;
      at[axis] = 0;
    }
  }
  return { shape, data };
}

/** Offset of the element at coordinates; axes of size 1 and missing leading axes are broadcast. */
function offsetOf({ shape }: Values, at: readonly number[]): number {
  const skip = at.length - shape.length;
  const step = strides(shape);
  let offset = 0;
  for (let i = 0; i < shape.length; i++) offset += (shape[i] === 1 ? 0 : at[skip + i]) * step[i];
  return offset;
}

const read = (x: Values, at: readonly number[]): number => x.data[offsetOf(x, at)];

function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [one, other] = [a[a.length - rank + i] ?? 1, b[b.length - rank + i] ?? 1];
    return one === 1 ? other : one; // an axis of no rows stays empty
  });
}

/** A negative index counts from the end. */
const fromStart = (index: number, size: number) => (index < 0 ? index + size : index);

const unary =
  (f: (x: number) => number) =>
  ([x]: readonly Values[]): Values => ({ shape: x.shape, data: x.data.map(f) });
const binary =
  (f: (a: number, b: number) => number) =>
  ([a, b]: readonly Values[]): Values =>
    String(a.shape) === String(b.shape)
      ? { shape: a.shape, data: a.data.map((value, i) => f(value, b.data[i])) }
      : build(broadcast(a.shape, b.shape), (at) => f(read(a, at), read(b, at)));

function resolve(shape: Shape, sizes: ReadonlyMap<string, number>): number[] {
  return shape.map((dim) =>
    dimTerms(dim).reduce(
      (sum, { coefficient, symbols }) =>
        sum + symbols.reduce((product, symbol) => product * sizes.get(symbol)!, coefficient),
      0,
    ),
  );
}

/** Maps each vector along an axis to another of the same length. */
function along(x: Values, axis: number, f: (vector: Float64Array) => ArrayLike<number>): Values {
  const at = resolveAxis(axis, x.shape.length);
  const step = strides(x.shape)[at];
  const size = x.shape[at];
  const data = new Float64Array(x.data.length);
  for (let base = 0; base < x.data.length; base++) {
    if (Math.floor(base / step) % size !== 0) continue;
    const vector = Float64Array.from({ length: size }, (_, i) => x.data[base + i * step]);
    const result = f(vector);
    for (let i = 0; i < size; i++) data[base + i * step] = result[i];
  }
  return { shape: x.shape, data };
}

function reduce(
  x: Values,
  { axes, keepDims }: OpAttributes["ReduceSum"],
  f: (all: number[]) => number,
): Values {
  const reduced = new Set(axes.map((axis) => resolveAxis(axis, x.shape.length)));
  const kept = x.shape.map((size, i) => (reduced.has(i) ? 1 : size));
  const groups = Array.from({ length: count(kept) }, (): number[] => []);
  const step = strides(kept);
  build(x.shape, (at) => {
    const group = at.reduce((sum, i, axis) => sum + (reduced.has(axis) ? 0 : i * step[axis]), 0);
    groups[group].push(read(x, at));
    return 0;
  });
  const shape = keepDims ? kept : x.shape.filter((_, i) => !reduced.has(i));
  return { shape, data: Float64Array.from(groups, f) };
}

const sum = (all: ArrayLike<number>) => Array.from(all).reduce((a, b) => a + b, 0);

function softmaxOf(vector: Float64Array): Float64Array {
  const top = Math.max(...vector);
  const exps = vector.map((x) => Math.exp(x - top));
  const total = sum(exps);
  return exps.map((x) => x / total);
}

/** The nearest integer; the even one of two. */
function roundToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

function multiply(a: Values, b: Values): Values {
  const [m, k, n] = [a.shape.at(-2)!, a.shape.at(-1)!, b.shape.at(-1)!];
  const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const data: number[] = [];
  build(batch, (head) => {
    const [ofA, ofB] = [offsetOf(a, [...head, 0, 0]), offsetOf(b, [...head, 0, 0])];
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < n; column++) {
        let total = 0;
        for (let i = 0; i < k; i++) total += a.data[ofA + row * k + i] * b.data[ofB + i * n + column];
        data.push(total);
      }
    }
    return 0;
  });
  return { shape: [...batch, m, n], data: Float64Array.from(data) };
}

/** erf by its Maclaurin series below 3 and the continued fraction of erfc above; exact to rounding. */
function erf(x: number): number {
  const a = Math.abs(x);
  if (a < 3) {
    let term = a;
    let total = a;
    for (let n = 1; Math.abs(term) > 1e-20; n++) {
      term *= (-a * a) / n;
      total += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * total) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 100; n >= 1; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction)));
}

const truth = (value: boolean) => Number(value);

type Rule<K extends Op> = (
  x: readonly Values[],
  attributes: OpAttributes[K],
  context: Context,
  node: Node,
) => Values | Values[];

const rules: { readonly [K in Op]: Rule<K> } = {
  Input: (_, { name, shape }, { feeds, sizes }) => {
    const fed = feeds[name];
    shape.forEach((dim, i) => {
      if (typeof dim === "string") sizes.set(dim, fed.shape[i]);
    });
    return fed;
  },
  Parameter: (_, { name }, { feeds }) => feeds[name],
  LoadParameter: ([parameter]) => parameter,
  Constant: (_, { array }) => valuesOf(array),
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: (operands, _attributes, _context, { outputs }) =>
    binary((a, b) => (/int/.test(outputs[0].dtype) ? Math.trunc(a / b) : a / b))(operands),
  Pow: binary((a, b) => a ** b),
  Max: binary(Math.max),
  Min: binary(Math.min),
  Mod: binary((a, b) => a - b * Math.floor(a / b)),
  Equal: binary((a, b) => truth(a === b)),
  Greater: binary((a, b) => truth(a > b)),
  GreaterOrEqual: binary((a, b) => truth(a >= b)),
  Less: binary((a, b) => truth(a < b)),
  LessOrEqual: binary((a, b) => truth(a <= b)),
  And: binary((a, b) => truth(a !== 0 && b !== 0)),
  Or: binary((a, b) => truth(a !== 0 || b !== 0)),
  Not: unary((x) => truth(x === 0)),
  Where: ([c, a, b]) =>
    build(broadcast(c.shape, broadcast(a.shape, b.shape)), (at) =>
      read(c, at) !== 0 ? read(a, at) : read(b, at),
    ),
  Neg: unary((x) => -x),
  Abs: unary(Math.abs),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Sqrt: unary(Math.sqrt),
  Reciprocal: unary((x) => 1 / x),
  Sin: unary(Math.sin),
  Cos: unary(Math.cos),
  Tanh: unary(Math.tanh),
  Sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  Softplus: unary((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  Erf: unary(erf),
  Relu: unary((x) => Math.max(x, 0)),
  Floor: unary(Math.floor),
  Sign: unary(Math.sign),
  Gelu: ([x], { approximate }) =>
    approximate === "none"
      ? unary((v) => (v * (1 + erf(v / Math.SQRT2))) / 2)([x])
      : unary((v) => (v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)))) / 2)([x]),
  Cast: ([x], { to }) => (/int/.test(to) ? unary(Math.trunc)([x]) : x),
  MatMul: ([a, b]) => multiply(a, b),
  Gemm: ([a, b, c], { transA, transB }) => {
    const flip = (x: Values) => build([x.shape[1], x.shape[0]], ([i, j]) => read(x, [j, i]));
    const product = multiply(transA ? flip(a) : a, transB ? flip(b) : b);
    return c === undefined ? product : binary((x, y) => x + y)([product, c]);
  },
  QuantizeLinear: ([x, scale], { to }) =>
    build(x.shape, ([row, column]) => {
      const [least, most] = to === "uint8" ? [0, 255] : [-128, 127];
      const steps = roundToEven(exact(x, [row, column]) / exact(scale, [row]));
      return Math.min(most, Math.max(least, steps + (to === "uint8" ? 128 : 0)));
    }),
  MatMulIntegerToFloat: ([a, b, scale]) => {
    const centred = { shape: a.shape, data: Float64Array.from(a.data, (value) => value - 128) };
    const product = multiply(centred, b);
    return build(product.shape, ([row, column]) => exact(product, [row, column]) * exact(scale, [column]));
  },
  Conv: ([x, w, bias], { group, pads, dilation, stride }, { sizes }, node) => {
    const [, perGroup, kernel] = w.shape;
    const outPerGroup = w.shape[0] / group;
    return build(resolve(node.outputs[0].shape, sizes), ([b, o, t]) => {
      let total = bias === undefined ? 0 : bias.data[o];
      for (let c = 0; c < perGroup; c++) {
        for (let k = 0; k < kernel; k++) {
          const position = t * stride + k * dilation - pads[0];
          if (position < 0 || position >= x.shape[2]) continue;
          const channel = Math.floor(o / outPerGroup) * perGroup + c;
          total += read(x, [b, channel, position]) * read(w, [o, c, k]);
        }
      }
      return total;
    });
  },
  Softmax: ([x], { axis }) => along(x, axis, softmaxOf),
  LogSoftmax: ([x], { axis }) => along(x, axis, (v) => softmaxOf(v).map(Math.log)),
  LayerNormalization: ([x, scale, bias], { epsilon }) =>
    along(x, -1, (v) => {
      const mean = sum(v) / v.length;
      const variance = sum(v.map((value) => (value - mean) ** 2)) / v.length;
      return v.map(
        (value, i) => ((value - mean) / Math.sqrt(variance + epsilon)) * scale.data[i] + (bias?.data[i] ?? 0),
      );
    }),
  ReduceSum: ([x], attributes) => reduce(x, attributes, sum),
  ReduceMean: ([x], attributes) => reduce(x, attributes, (all) => sum(all) / all.length),
  ReduceMax: ([x], attributes) => reduce(x, attributes, (all) => Math.max(...all)),
  ReduceMin: ([x], attributes) => reduce(x, attributes, (all) => Math.min(...all)),
  CumSum: ([x], { axis, exclusive, reverse }) =>
    along(x, axis, (v) => {
      const result = new Float64Array(v.length);
      let total = 0;
      for (let i = 0; i < v.length; i++) {
        const at = reverse ? v.length - 1 - i : i;
        result[at] = exclusive ? total : total + v[at];
        total += v[at];
      }
      return result;
    }),
  ArgMax: ([x], { axis }) => topOf(x, axis, 1, true).indices,
  TopK: ([x], { axis, k }) => {
    const { values, indices } = topOf(x, axis, k, false);
    return [values, indices];
  },
  Reshape: ([x], { shape }, { sizes }) => ({ shape: resolve(shape, sizes), data: x.data }),
  Expand: ([x], { shape }, { sizes }) => build(resolve(shape, sizes), (at) => read(x, at)),
  Transpose: ([x], { perm }) =>
    build(
      perm.map((axis) => x.shape[axis]),
      (at) => {
        const from = [...at];
        perm.forEach((axis, i) => {
          from[axis] = at[i];
        });
        return read(x, from);
      },
    ),
  Concat: (parts, { axis }) => {
    const at = resolveAxis(axis, parts[0].shape.length);
    const total = sum(parts.map(({ shape }) => shape[at]));
    return build(
      parts[0].shape.map((size, i) => (i === at ? total : size)),
      (place) => {
        let position = place[at];
        const part = parts.find(({ shape }) => {
          if (position < shape[at]) return true;
          position -= shape[at];
          return false;
        })!;
        return exact(
          part,
          place.map((i, axisOf) => (axisOf === at ? position : i)),
        );
      },
    );
  },
  Split: ([x], { axis, sizes: parts }) => {
    let start = 0;
    return parts.map((size) => {
      const part = sliceOf(x, resolveAxis(axis, x.shape.length), start, size, 1);
      start += size;
      return part;
    });
  },
  Slice: ([x], { axis, start, end, step }) => {
    const at = resolveAxis(axis, x.shape.length);
    const size = x.shape[at];
    const positions = Array.from({ length: size }, (_, i) => i);
    const from = start < 0 ? start + size : start;
    const to = end < 0 ? end + size : end;
    const taken =
      step > 0
        ? positions.filter((i) => i >= from && i < to)
        : positions.reverse().filter((i) => i <= from && i > to);
    const stepped = taken.filter((_, i) => i % Math.abs(step) === 0);
    return build(
      x.shape.map((s, i) => (i === at ? stepped.length : s)),
      (place) =>
        exact(
          x,
          place.map((i, axisOf) => (axisOf === at ? stepped[i] : i)),
        ),
    );
  },
  Pad: ([x], { axis, before, after, value }) => {
    const at = resolveAxis(axis, x.shape.length);
    return build(
      x.shape.map((s, i) => (i === at ? s + before + after : s)),
      (place) => {
        const from = place[at] - before;
        if (from < 0 || from >= x.shape[at]) return value;
        return exact(
          x,
          place.map((i, axisOf) => (axisOf === at ? from : i)),
        );
      },
    );
  },
  Gather: ([x, indices], { axis }) => {
    const at = resolveAxis(axis, x.shape.length);
    const rank = indices.shape.length;
    return build([...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)], (place) => {
      const index = fromStart(exact(indices, place.slice(at, at + rank)), x.shape[at]);
      return exact(x, [...place.slice(0, at), index, ...place.slice(at + rank)]);
    });
  },
  Unfold: ([x], { kernel }) => {
    const [batch, length, ...row] = x.shape;
    return build([batch, length - kernel + 1, kernel, ...row], ([b, at, tap, ...rest]) =>
      exact(x, [b, at + tap, ...rest]),
    );
  },
  GatherElements: ([x, indices], { axis }) => {
    const at = resolveAxis(axis, x.shape.length);
    return build(indices.shape, (place) =>
      exact(
        x,
        place.map((i, axisOf) => (axisOf === at ? fromStart(exact(indices, place), x.shape[at]) : i)),
      ),
    );
  },
  ScatterElements: ([x, indices, updates], { axis, reduction }) => {
    const at = resolveAxis(axis, x.shape.length);
    const data = Float64Array.from(x.data);
    const step = strides(x.shape);
    build(indices.shape, (place) => {
      const to = place.map((i, axisOf) =>
        axisOf === at ? fromStart(exact(indices, place), x.shape[at]) : i,
      );
      const offset = sum(to.map((i, axisOf) => i * step[axisOf]));
      data[offset] = (reduction === "add" ? data[offset] : 0) + exact(updates, place);
      return 0;
    });
    return { shape: x.shape, data };
  },
  Compress: ([x, condition], { axis, size }, { sizes }) => {
    const at = resolveAxis(axis, x.shape.length);
    const kept = Array.from({ length: x.shape[at] }, (_, i) => i).filter((i) => condition.data[i] !== 0);
    sizes.set(size, kept.length);
    return build(
      x.shape.map((s, i) => (i === at ? kept.length : s)),
      (place) =>
        exact(
          x,
          place.map((i, axisOf) => (axisOf === at ? kept[i] : i)),
        ),
    );
  },
  ScatterND: ([x, indices, updates], { reduction }) => {
    const data = Float64Array.from(x.data);
    const step = strides(x.shape)[0];
    updates.data.forEach((value, i) => {
      const to = indices.data[Math.floor(i / step)] * step + (i % step);
      data[to] = (reduction === "add" ? data[to] : 0) + value;
    });
    return { shape: x.shape, data };
  },
  Fill: (_, { shape, value }, { sizes }) => build(resolve(shape, sizes), () => value),
  Range: (_, { size }, { sizes }) => build(resolve([size], sizes), ([i]) => i),
  LinearAttention: ([q, k, v, decay]) => {
    const states = q.shape[2];
    const h = new Map<string, number>();
    return build(v.shape, ([b, t, e]) => {
      let y = 0;
      for (let n = 0; n < states; n++) {
        const kept = Math.exp(exact(decay, [b, t, e * states + n])) * (h.get(`${b} ${e} ${n}`) ?? 0);
        const state = kept + exact(v, [b, t, e]) * exact(k, [b, t, n]);
        h.set(`${b} ${e} ${n}`, state);
        y += exact(q, [b, t, n]) * state;
      }
      return y;
    });
  },
  Scan: (inputs, { states, elements, results, axis, reverse }, { feeds, values, sizes }) => {
    const steps = inputs[states.length].shape[axis];
    let current = inputs.slice(0, states.length);
    const emitted = results.slice(states.length).map((): Values[] => []);
    for (let i = 0; i < steps; i++) {
      const position = reverse ? steps - 1 - i : i;
      const inner: Record<string, Values> = { ...feeds };
      const name = (sym: Sym) => (sym.node.attributes as OpAttributes["Input"]).name;
      states.forEach((sym, at) => {
        inner[name(sym)] = current[at];
      });
      elements.forEach((sym, at) => {
        const x = inputs[states.length + at];
        const one = sliceOf(x, axis, position, 1, 1);
        inner[name(sym)] = { shape: x.shape.filter((_, a) => a !== axis), data: one.data };
      });
      const scope = new Map(values);
      run(results, inner, scope, sizes);
      const made = results.map(({ node, output }) => scope.get(node)![output]);
      current = made.slice(0, states.length);
      made.slice(states.length).forEach((value, at) => {
        emitted[at].push(value);
      });
    }
    const stacked = emitted.map((all) => {
      const ordered = reverse ? all.reverse() : all;
      const one = ordered[0].shape;
      return build([...one.slice(0, axis), steps, ...one.slice(axis)], (place) =>
        exact(
          ordered[place[axis]],
          place.filter((_, a) => a !== axis),
        ),
      );
    });
    return [...current, ...stacked];
  },
};

/** Element at coordinates without broadcasting. */
function exact(x: Values, at: readonly number[]): number {
  const step = strides(x.shape);
  let offset = 0;
  for (let axis = 0; axis < at.length; axis++) offset += at[axis] * step[axis];
  return x.data[offset];
}

function sliceOf(x: Values, axis: number, start: number, size: number, step: number): Values {
  return build(
    x.shape.map((s, i) => (i === axis ? size : s)),
    (place) =>
      exact(
        x,
        place.map((i, axisOf) => (axisOf === axis ? start + i * step : i)),
      ),
  );
}

function topOf(x: Values, axis: number, k: number, drop: boolean) {
  const at = resolveAxis(axis, x.shape.length);
  const order = (place: readonly number[]) =>
    Array.from({ length: x.shape[at] }, (_, i) => i).sort((a, b) => {
      const value = (i: number) =>
        exact(
          x,
          place.map((p, axisOf) => (axisOf === at ? i : p)),
        );
      return value(b) - value(a) || a - b;
    });
  const shape = x.shape.map((s, i) => (i === at ? k : s));
  const indices = build(shape, (place) => order(place)[place[at]]);
  const values = build(shape, (place) =>
    exact(
      x,
      place.map((p, axisOf) => (axisOf === at ? exact(indices, place) : p)),
    ),
  );
  const shapeOf = drop ? shape.filter((_, i) => i !== at) : shape;
  return { values: { shape: shapeOf, data: values.data }, indices: { shape: shapeOf, data: indices.data } };
}
