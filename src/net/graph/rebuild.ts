import { applyAll } from "./apply.ts";
import { capturedBy, nodesBehind } from "./graph.ts";
import { isOp, type Node, type OpAttributes, type Sym } from "./sym.ts";

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
  for (const node of nodesBehind(loop.results)) {
    if (renewed({ node, output: 0, ...node.outputs[0] }).node !== node) continue;
    const made = withInputs(node, inside);
    if (made !== undefined) rebuilt.set(node, made);
  }
  return { ...loop, results: loop.results.map(inside) };
}
