import { InternalError } from "../../base/errors.ts";
import { type DType, formatShape, type NdArray } from "../arrays/array.ts";
import type { Dim, Shape } from "./dim.ts";

/** What a tensor is before it has values. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** One application of an op. Nodes are immutable and know their inputs alone, so a graph is whatever its outputs reach. */
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

/** A node seen as the op it is, for code that reads attributes. */
export function isOp<K extends Op>(node: Node, op: K): node is Node & Node<K> {
  return (node.op as Op) === op;
}

type None = Readonly<Record<never, never>>;
type Axis = { readonly axis: number };
type Reduction = { readonly axes: readonly number[]; readonly keepDims: boolean };

/**
 * Every op of the graph and its attributes. Names are ONNX's own, so emission is one function; attributes that ONNX takes
 * as tensors (axes, shapes, pads) are plain data here. An op needs a row here, one in `shapes.ts` and one in `emit-rules.ts`:
 * the compiler names the missing ones.
 */
export interface OpAttributes {
  /** Fed at every run. */
  Input: { readonly name: string; readonly shape: Shape; readonly dtype: DType };
  /** Bound once when the program is opened: a tensor of a checkpoint or an array. */
  Parameter: { readonly name: string; readonly shape: readonly number[]; readonly dtype: DType };
  Constant: { readonly array: NdArray };

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

  Softmax: Axis;
  LogSoftmax: Axis;
  LayerNormalization: { readonly axis: number; readonly epsilon: number };
  ReduceSum: Reduction;
  ReduceMean: Reduction;
  ReduceMax: Reduction;
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
  /** Windows of `kernel` rows along axis 1, `dilation` apart: [b, l, c] → [b, l − dilation · (kernel − 1), kernel, c]. */
  Unfold: { readonly kernel: number; readonly dilation: number };
  ScatterElements: Axis & { readonly reduction: "none" | "add" };
  /** `size` names the number of rows that are kept, which the values decide. */
  Compress: Axis & { readonly size: string };
  ScatterND: { readonly reduction: "none" | "add" };
  Fill: { readonly shape: Shape; readonly value: number; readonly dtype: DType };
  Range: { readonly size: Shape[number] };

  /**
   * A loop along `axis` of each scanned tensor. `states` and `elements` are the body's own inputs, in the order of the
   * node's inputs; `results` are the body's new states, then what it emits at each step. The body may use symbols of the outside.
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

/** Checks a tensor against named axes, such as `"b t d"`, and gives it back. */
export type Shaped = (x: Sym, axes: string) => Sym;

/**
 * Names for the axes of one model: `named({ b: "b", t: "t", d: 768 })`. A model states the axes of a result where the shape
 * changes; a mistake is found when the graph is built, by name.
 *
 * @throws {InternalError} when the rank or a size differs, or a name is unknown
 */
export function named(sizes: Readonly<Record<string, Dim>>): Shaped {
  return (x, axes) => {
    const names = axes.split(" ").filter((name) => name !== "");
    const expected = names.map((name) => {
      if (!(name in sizes))
        throw new InternalError(`axis ${JSON.stringify(name)} is not among ${Object.keys(sizes)}`);
      return sizes[name];
    });
    const wrong = names.findIndex((_, i) => expected[i] !== x.shape[i]);
    if (wrong >= 0 || names.length !== x.shape.length) {
      const at = wrong >= 0 && wrong < x.shape.length ? ` (axis ${names[wrong]})` : "";
      throw new InternalError(
        `${x.node.op} gave ${formatShape(x.shape)}, expected ${axes} = ${formatShape(expected)}${at}`,
      );
    }
    return x;
  };
}
