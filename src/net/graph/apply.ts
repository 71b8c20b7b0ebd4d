import { formatShape } from "../arrays/array.ts";
import { GraphError } from "./graph-error.ts";
import { shapeRules } from "./shapes.ts";
import type { Node, Op, OpAttributes, Sym } from "./sym.ts";

/**
 * Applies an op and returns all its outputs.
 *
 * @throws {GraphError} when shapes or types do not match, naming the op and the types of its inputs
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
  return applyAll(op, inputs, attributes)[0];
}

function inferTypes<K extends Op>(op: K, inputs: readonly Sym[], attributes: OpAttributes[K]) {
  try {
    return shapeRules[op](inputs, attributes);
  } catch (cause) {
    if (!(cause instanceof GraphError)) throw cause;
    const given = inputs.map(({ dtype, shape }) => `${dtype} ${formatShape(shape)}`).join(" × ");
    throw new GraphError(`${op} of ${given || "nothing"}: ${cause.message}`, { cause });
  }
}
