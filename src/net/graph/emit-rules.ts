import type { Op, OpAttributes } from "./sym.ts";

/** An ONNX attribute: an integer, a list of integers, a text or a real number. */
export type OnnxAttribute = number | readonly number[] | string | { readonly real: number };

/** ONNX form of an op: the attributes of the node, and integer vectors that follow the inputs of the op. */
export interface Emission {
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  readonly trailing?: readonly (readonly number[])[];
}

/** Ops that become exactly one node of the same name; `onnx.ts` emits the others. */
type OneNode = Exclude<
  Op,
  | "Input"
  | "Parameter"
  | "Constant"
  | "LoadParameter"
  | "Reshape"
  | "Expand"
  | "Fill"
  | "Range"
  | "Pad"
  | "CumSum"
  | "Unfold"
  | "LinearAttention"
  | "QuantizeLinear"
  | "MatMulIntegerToFloat"
  | "Scan"
>;

const plain = (): Emission => ({});
const axisOnly = ({ axis }: { readonly axis: number }): Emission => ({ attributes: { axis } });
const reduction = ({ axes, keepDims }: OpAttributes["ReduceSum"]): Emission => ({
  attributes: { keepdims: Number(keepDims) },
  trailing: [axes],
});

/**
 * Attributes of each op in opset 20. `onnx.ts` adds the type of `Cast`, whose numbers belong to the schema.
 */
export const emitRules: { readonly [K in OneNode]: (attributes: OpAttributes[K]) => Emission } = {
  Add: plain,
  Sub: plain,
  Mul: plain,
  Div: plain,
  Pow: plain,
  Max: plain,
  Min: plain,
  Mod: plain,
  Equal: plain,
  Greater: plain,
  GreaterOrEqual: plain,
  Less: plain,
  LessOrEqual: plain,
  And: plain,
  Or: plain,
  Not: plain,
  Where: plain,
  Neg: plain,
  Abs: plain,
  Exp: plain,
  Log: plain,
  Sqrt: plain,
  Reciprocal: plain,
  Sin: plain,
  Cos: plain,
  Tanh: plain,
  Sigmoid: plain,
  Softplus: plain,
  Erf: plain,
  Relu: plain,
  Floor: plain,
  Sign: plain,
  Gelu: ({ approximate }) => ({ attributes: { approximate } }),
  Cast: plain,
  MatMul: plain,
  Gemm: ({ transA, transB }) => ({ attributes: { transA: Number(transA), transB: Number(transB) } }),
  Conv: ({ group, pads, dilation, stride }) => ({
    attributes: { group, pads, dilations: [dilation], strides: [stride] },
  }),
  Softmax: axisOnly,
  LogSoftmax: axisOnly,
  LayerNormalization: ({ axis, epsilon }) => ({ attributes: { axis, epsilon: { real: epsilon } } }),
  ReduceSum: reduction,
  ReduceMean: reduction,
  ReduceMax: reduction,
  ReduceMin: reduction,
  ArgMax: ({ axis }) => ({ attributes: { axis, keepdims: 0 } }),
  TopK: ({ axis, k }) => ({ attributes: { axis, largest: 1, sorted: 1 }, trailing: [[k]] }),
  Transpose: ({ perm }) => ({ attributes: { perm } }),
  Concat: axisOnly,
  Split: ({ axis, sizes }) => ({ attributes: { axis }, trailing: [sizes] }),
  Slice: ({ axis, start, end, step }) => ({ trailing: [[start], [end], [axis], [step]] }),
  Gather: axisOnly,
  GatherElements: axisOnly,
  ScatterElements: ({ axis, reduction: how }) => ({ attributes: { axis, reduction: how } }),
  Compress: axisOnly,
  ScatterND: ({ reduction: how }) => ({ attributes: { reduction: how } }),
};
