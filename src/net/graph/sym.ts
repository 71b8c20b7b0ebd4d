import { InternalError } from "../../base/errors.ts";
import { formatShape } from "../arrays/array.ts";
import type { DType } from "../arrays/dtype.ts";
import type { Shape } from "./dim.ts";
import type { Op, OpAttributes } from "./ops.ts";
import { shapeRules } from "./shapes.ts";

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

/**
 * Applies an op and returns all its outputs.
 *
 * @throws {InternalError} when shapes or types do not fit, naming the op and what came
 */
export function applyAll<K extends Op>(
  op: K,
  inputs: readonly Sym[],
  attributes: OpAttributes[K],
): readonly Sym[] {
  const outputs = inferTypes(op, inputs, attributes);
  const node: Node<K> = { op, inputs, attributes, outputs };
  return outputs.map((type, output) => ({ node: node as unknown as Node, output, ...type }));
}

/** Applies an op that has one output. */
export function apply<K extends Op>(op: K, inputs: readonly Sym[], attributes: OpAttributes[K]): Sym {
  return applyAll(op, inputs, attributes)[0]!;
}

function inferTypes<K extends Op>(op: K, inputs: readonly Sym[], attributes: OpAttributes[K]) {
  try {
    return shapeRules[op](inputs, attributes);
  } catch (cause) {
    if (!(cause instanceof InternalError)) throw cause;
    const came = inputs.map(({ dtype, shape }) => `${dtype} ${formatShape(shape)}`).join(" × ");
    throw new InternalError(
      `${op} of ${came || "nothing"}: ${cause.message.replace(/^internal: /, "")}`,
      cause,
    );
  }
}

/** A node seen as the op it is, for code that reads attributes. */
export function isOp<K extends Op>(node: Node, op: K): node is Node & Node<K> {
  return (node.op as Op) === op;
}
