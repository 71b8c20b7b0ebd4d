import { formatShape } from "../arrays/array.ts";
import { ancestorsOf, capturedBy } from "./graph.ts";
import { GraphError } from "./graph-error.ts";
import { shapeRules } from "./shapes.ts";
import { isOp, type Node, type Op, type OpAttributes, type Sym } from "./sym.ts";

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

/** The node's outputs with other inputs; undefined if all of them stay. */
export function withInputs(node: Node, renewed: (sym: Sym) => Sym): readonly Sym[] | undefined {
  const uses = [...node.inputs, ...capturedBy(node)];
  if (uses.every((sym) => renewed(sym) === sym)) return undefined;
  const attributes = isOp(node, "Scan") ? withBody(node.attributes, renewed) : node.attributes;
  return applyAll(node.op, node.inputs.map(renewed), attributes);
}

/** A loop whose body uses other tensors from outside. */
function withBody(loop: OpAttributes["Scan"], renewed: (sym: Sym) => Sym): OpAttributes["Scan"] {
  const rebuilt = new Map<Node, readonly Sym[]>();
  const inside = (sym: Sym): Sym => rebuilt.get(sym.node)?.[sym.output] ?? renewed(sym);
  for (const node of ancestorsOf(loop.results)) {
    if (renewed({ node, output: 0, ...node.outputs[0] }).node !== node) continue;
    const made = withInputs(node, inside);
    if (made !== undefined) rebuilt.set(node, made);
  }
  return { ...loop, results: loop.results.map(inside) };
}
