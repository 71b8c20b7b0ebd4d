import * as g from "../../../src/net/graph/build.ts";
import type { Op, Sym } from "../../../src/net/graph/sym.ts";
import { randomArrays } from "../random-arrays.ts";

const x = g.input("x", "float32", ["b", 3, 4]);
const y = g.input("y", "float32", ["b", 3, 4]);
const row = g.input("row", "float32", [4]);
const positive = g.add(g.mul(x, x), 0.5);
const truth = g.greater(x, 0);
const indices = g.constant({ dtype: "int32", shape: [2, 2], data: Int32Array.of(2, 0, 1, 2) });
const matrix = g.input("matrix", "float32", [5, 4]);
const signal = g.input("signal", "float32", ["b", 4, 9]);
const kernel = g.input("kernel", "float32", [6, 2, 3]);
const taps = g.slice(g.reshape(kernel, [4, 9]), 1, 0, 8);
const flat = g.reshape(x, ["3*b", 4]);
const isPositive = g.greater(g.reduceSum(flat, [1]), 0);
const positiveRows = g.compress(g.range("3*b"), isPositive, 0, "positive");
const rates = g.neg(g.mul(y, y)); // [b, 3, 4], as 2 channels × 2 states
const [q, k, v] = [g.slice(x, 2, 0, 2), g.slice(x, 2, 2, 4), g.slice(y, 2, 1, 3)];
const asNumber = (sym: Sym) => g.cast(sym, "float32");

const inSteps = g.quantizeRows(flat, g.fill(["3*b"], 0.017), "uint8");

/** Values of the inputs of the examples, and of the parameter `weight`, from a seed. */
export function opInputs(seed: number) {
  const random = randomArrays(seed);
  return {
    x: random([2, 3, 4]),
    y: random([2, 3, 4]),
    row: random([4]),
    matrix: random([5, 4]),
    signal: random([2, 4, 9]),
    kernel: random([6, 2, 3]),
    weight: random([4]),
  };
}

/** At least one example of every op, over the inputs of `opInputs`. */
export const opExamples: Readonly<Record<Op, readonly Sym[]>> = {
  Input: [x],
  Parameter: [g.mul(g.parameter("weight", [4]), x)],
  LoadParameter: [g.mul(g.loadParameter(g.parameter("weight", [4]), y), x)],
  Constant: [g.gather(row, indices)],
  Add: [g.add(x, row), g.add(1.5, x)],
  Sub: [g.sub(row, x)],
  Mul: [g.mul(x, y)],
  Div: [g.div(x, g.add(g.abs(y), 1)), asNumber(g.div(g.range("3*b"), 2))],
  Pow: [g.pow(positive, 1.5), g.pow(x, 2)],
  Max: [g.maximum(x, y)],
  Min: [g.minimum(x, 0.25)],
  Mod: [asNumber(g.mod(g.range("3*b"), 4))].map((sym) => g.mul(sym, g.reduceSum(flat, [1]))),
  Equal: [asNumber(g.equal(g.maximum(x, 0), 0))],
  Greater: [asNumber(g.greater(x, y))],
  GreaterOrEqual: [asNumber(g.greaterOrEqual(x, y))],
  Less: [asNumber(g.less(x, y))],
  LessOrEqual: [asNumber(g.lessOrEqual(x, y))],
  And: [asNumber(g.and(truth, g.less(y, 0)))],
  Or: [asNumber(g.or(truth, g.less(y, 0)))],
  Not: [asNumber(g.not(truth))],
  Where: [g.where(truth, x, y), g.where(truth, row, 0)],
  Neg: [g.neg(x)],
  Abs: [g.abs(x)],
  Exp: [g.exp(x)],
  Log: [g.log(positive)],
  Sqrt: [g.sqrt(positive)],
  Reciprocal: [g.reciprocal(positive)],
  Sin: [g.sin(x)],
  Cos: [g.cos(x)],
  Tanh: [g.tanh(x)],
  Sigmoid: [g.sigmoid(x), g.silu(x)],
  Softplus: [g.softplus(x)],
  Erf: [g.erf(x)],
  Relu: [g.relu(x)],
  Floor: [g.floor(g.mul(x, 3))],
  Sign: [g.sign(x)],
  Gelu: [g.gelu(x), g.gelu(x, "tanh")],
  Cast: [asNumber(g.cast(g.mul(x, 3), "int32"))],
  MatMul: [g.matMul(x, g.swapLast(y)), g.matMul(x, g.transpose(matrix, [1, 0]))],
  Gemm: [
    g.gemm(flat, matrix, undefined, { transB: true }),
    g.gemm(matrix, flat, undefined, { transB: true }),
    g.gemm(matrix, matrix, undefined, { transA: true }),
    g.gemm(flat, g.transpose(matrix, [1, 0]), g.reduceSum(matrix, [1])),
  ],
  Conv: [
    g.conv(signal, kernel, undefined, { group: 2, pads: [2, 0] }),
    g.conv(signal, kernel, g.reduceSum(kernel, [1, 2]), { group: 2, dilation: 2, pads: [1, 1] }),
    g.conv(signal, kernel, undefined, { group: 2, stride: 2 }),
  ],
  QuantizeLinear: [asNumber(inSteps), asNumber(g.quantizeRows(matrix, g.fill([5], 0.004), "int8"))],
  MatMulIntegerToFloat: [
    g.integerProduct(
      inSteps,
      g.swapLast(g.quantizeRows(matrix, g.fill([5], 0.021), "int8")),
      g.mul(g.add(g.pow(g.reduceSum(matrix, [1]), 2), 0.01), 1e-4),
    ),
  ],
  Softmax: [g.softmax(x), g.softmax(x, 1)],
  LogSoftmax: [g.logSoftmax(x)],
  LayerNormalization: [
    g.layerNormalization(x, row, g.neg(row), 1e-5),
    g.layerNormalization(x, row, undefined, 1e-5),
  ],
  ReduceSum: [g.reduceSum(x, [0, 2]), g.reduceSum(x, [-1], { keepDims: true })],
  ReduceMean: [g.reduceMean(x, [1])],
  ReduceMax: [g.reduceMax(x, [2])],
  ReduceMin: [g.reduceMin(x, [1]), g.reduceMin(x, [-1], { keepDims: true })],
  CumSum: [g.cumSum(x, 1), g.cumSum(x, 2, { exclusive: true, reverse: true })],
  ArgMax: [asNumber(g.argMax(x, 2))],
  TopK: [g.topK(x, 2).values, asNumber(g.topK(x, 2).indices)],
  Reshape: [
    g.reshape(x, ["b", 12]),
    g.reshape(g.reshape(x, ["12*b"]), ["b", 2, 6]),
    g.reshape(flat, ["b", 3, 4]),
  ],
  Expand: [g.expand(row, ["b", 3, 4])],
  Transpose: [g.transpose(x, [2, 0, 1])],
  Concat: [g.concat([x, y], 1), g.concat([x, y], 0)],
  Split: [...g.split(x, 2, [1, 3])],
  Slice: [g.slice(x, 1, 1), g.slice(x, 2, -3, -1), g.slice(x, 2, 0, 4, 2), g.flip(x, 1), g.flip(x, 0)],
  Pad: [g.pad(x, 2, 1, 2), g.pad(x, 1, 0, 1, -3)],
  Gather: [g.gather(x, indices, 1)],
  Unfold: [
    g.unfold(signal, 2),
    g.unfold(x, 3),
    // the product with a kernel, whose gradient is a convolution
    g.gemm(g.reshape(g.unfold(x, 2), ["2*b", 8]), taps, undefined, { transB: true }),
    g.gemm(
      g.reshape(g.unfold(signal, 3), ["2*b", 27]),
      g.slice(g.reshape(kernel, [1, 36]), 1, 0, 27),
      undefined,
      {
        transB: true,
      },
    ),
  ],
  GatherElements: [
    g.gatherElements(x, g.cast(g.expand(g.reshape(indices, [1, 2, 2]), ["b", 2, 2]), "int64"), 2),
  ],
  ScatterElements: [
    g.scatterElements(
      x,
      g.expand(g.constant({ dtype: "int64", shape: [1, 1, 4], data: BigInt64Array.of(1n, 1n, 2n, 0n) }), [
        "b",
        1,
        4,
      ]),
      g.slice(y, 1, 0, 1),
      2,
      "add",
    ),
  ],
  Compress: [g.compress(flat, isPositive, 0, "positive"), g.compress(x, g.greater(row, 0), 2, "columns")],
  ScatterND: [
    g.scatterRows(flat, positiveRows, g.gather(flat, positiveRows), "add"),
    g.scatterRows(flat, positiveRows, g.neg(g.gather(flat, positiveRows))),
  ],
  LinearAttention: [
    g.linearAttention(q, k, v, rates),
    g.linearAttention(
      q,
      k,
      v,
      g.reshape(g.mul(g.unsqueeze(g.neg(g.abs(v)), 3), g.exp(g.slice(row, 0, 2))), ["b", 3, 4]),
    ),
  ],
  Fill: [g.fill(["b", 2], 1.25)],
  Range: [asNumber(g.range("2*b+1"))],
  Scan: [
    ...g.scan(
      [g.fill(["b", 4], 0)],
      [x, y],
      ([h], [a, b]) => {
        const next = g.add(g.mul(g.mul(h, g.tanh(row)), 0.5), a);
        return { states: [next], emit: [g.mul(next, b)] };
      },
      { axis: 1, reverse: true },
    ).emitted,
  ],
};
