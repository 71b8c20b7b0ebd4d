import { type DType, formatShape, type NdArray } from "../arrays/array.ts";
import type { Dim, Shape } from "./dim.ts";
import { GraphError } from "./graph-error.ts";

/** Type of a tensor. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/**
 * One application of an op. Nodes are immutable and refer only to their inputs, so a graph is everything its
 * outputs depend on.
 */
export interface Node<K extends Op = Op> {
  readonly op: K;
  readonly inputs: readonly Sym[];
  readonly attributes: OpAttributes[K];
  readonly outputs: readonly TensorType[];
}

/** A symbolic tensor: one output of a node, with its type. */
export interface Sym extends TensorType {
  readonly node: Node;
  readonly output: number;
}

/** Narrows a node to an op, for access to its attributes. */
export function isOp<K extends Op>(node: Node, op: K): node is Node & Node<K> {
  return (node.op as Op) === op;
}

type None = Readonly<Record<never, never>>;
type Axis = { readonly axis: number };
type Reduction = { readonly axes: readonly number[]; readonly keepDims: boolean };

/**
 * Attributes of every op. Ops have the names of ONNX; attributes that ONNX takes as tensors (axes, shapes,
 * pads) are plain data here. An op needs a row here and one each in `shapes.ts`, `emit-rules.ts` and
 * `gradients.ts`: the compiler reports missing ones.
 */
export interface OpAttributes {
  /** Fed at every run. */
  Input: { readonly name: string; readonly shape: Shape; readonly dtype: DType };
  /** Bound once when the program is opened: a tensor of a checkpoint or an array. */
  Parameter: { readonly name: string; readonly shape: readonly number[]; readonly dtype: DType };
  Constant: { readonly array: NdArray };
  /** A parameter as float32, converted at every run once another tensor is known: parameter, that tensor. */
  LoadParameter: None;

  Add: None;
  Sub: None;
  Mul: None;
  Div: None;
  Pow: None;
  Max: None;
  Min: None;
  Mod: None;
  Equal: None;
  Greater: None;
  GreaterOrEqual: None;
  Less: None;
  LessOrEqual: None;
  And: None;
  Or: None;
  Not: None;
  Where: None;

  Neg: None;
  Abs: None;
  Exp: None;
  Log: None;
  Sqrt: None;
  Reciprocal: None;
  Sin: None;
  Cos: None;
  Tanh: None;
  Sigmoid: None;
  Softplus: None;
  Erf: None;
  Relu: None;
  Floor: None;
  Sign: None;
  Gelu: { readonly approximate: "none" | "tanh" };
  Cast: { readonly to: DType };

  MatMul: None;
  Gemm: { readonly transA: boolean; readonly transB: boolean };
  Conv: {
    readonly group: number;
    readonly pads: readonly [number, number];
    readonly dilation: number;
    readonly stride: number;
  };

  /**
   * Rows in whole steps of their scales: round(x / scale) to even, saturated; uint8 values are 128 more.  x
   * [m, k], scale [m]
   */
  QuantizeLinear: { readonly to: "uint8" | "int8" };
  /**
   * ONNX Runtime's `com.microsoft.MatMulIntegerToFloat`: (a − 128)·b times a scale per column.  a uint8 [m,
   * k], b int8 [k, n], scale [n] → float32 [m, n]
   */
  MatMulIntegerToFloat: None;

  Softmax: Axis;
  LogSoftmax: Axis;
  LayerNormalization: { readonly axis: number; readonly epsilon: number };
  ReduceSum: Reduction;
  ReduceMean: Reduction;
  ReduceMax: Reduction;
  ReduceMin: Reduction;
  CumSum: Axis & { readonly exclusive: boolean; readonly reverse: boolean };
  ArgMax: Axis;
  TopK: Axis & { readonly k: number };

  Reshape: { readonly shape: Shape };
  Expand: { readonly shape: Shape };
  Transpose: { readonly perm: readonly number[] };
  Concat: Axis;
  Split: Axis & { readonly sizes: readonly number[] };
  Slice: Axis & { readonly start: number; readonly end: number; readonly step: number };
  Pad: { readonly axis: number; readonly before: number; readonly after: number; readonly value: number };
  Gather: Axis;
  GatherElements: Axis;
  /** Windows of `kernel` rows along axis 1: [b, l, c] → [b, l − kernel + 1, kernel, c]. */
  Unfold: { readonly kernel: number };
  ScatterElements: Axis & { readonly reduction: "none" | "add" };
  /** `size` names the number of selected rows, which depends on the values. */
  Compress: Axis & { readonly size: string };
  ScatterND: { readonly reduction: "none" | "add" };
  /** ONNX Runtime's `com.microsoft.LinearAttention` with gates: see `linearAttention`. */
  LinearAttention: None;
  Fill: { readonly shape: Shape; readonly value: number; readonly dtype: DType };
  Range: { readonly size: Shape[number] };

  /**
   * A loop along `axis` of each scanned tensor. `states` and `elements` are the inputs of the body, in the
   * order of the node's inputs; `results` are the new states followed by the emitted values. The body may use
   * tensors from outside.
   */
  Scan: {
    readonly states: readonly Sym[];
    readonly elements: readonly Sym[];
    readonly results: readonly Sym[];
    readonly axis: number;
    readonly reverse: boolean;
  };
}

export type Op = keyof OpAttributes;

/** Checks a tensor against named axes, such as `"b t d"`, and returns it. */
export type Shaped = (x: Sym, axes: string) => Sym;

/**
 * Names for the axes of a model: `named({ b: "b", t: "t", d: 768 })`. A model states the axes of a result
 * where the shape changes, so that a mistake is reported by name when the graph is built.
 *
 * @throws {GraphError} when the rank or a size differs, or a name is unknown
 */
export function named(sizes: Readonly<Record<string, Dim>>): Shaped {
  return (x, axes) => {
    const names = axes.split(" ").filter((name) => name !== "");
    const expected = names.map((name) => {
      if (!(name in sizes))
        throw new GraphError(`axis ${JSON.stringify(name)} is not among ${Object.keys(sizes)}`);
      return sizes[name];
    });
    const wrong = names.findIndex((_, i) => expected[i] !== x.shape[i]);
    if (wrong >= 0 || names.length !== x.shape.length) {
      const at = wrong >= 0 && wrong < x.shape.length ? ` (axis ${names[wrong]})` : "";
      throw new GraphError(
        `${x.node.op} gave ${formatShape(x.shape)}; expected ${axes} = ${formatShape(expected)}${at}`,
      );
    }
    return x;
  };
}
