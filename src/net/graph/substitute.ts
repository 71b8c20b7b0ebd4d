import { nodesBehind } from "./graph.ts";
import type { Op, OpAttributes } from "./ops.ts";
import type { Node, Sym } from "./sym.ts";
import { applyAll } from "./sym.ts";

/**
 * The same graph with some nodes replaced: every node that depends on a replaced one is built anew, all others are shared.
 *
 * @param replacements  by node; the replacement stands for the node's first output
 */
export function substitute(outputs: readonly Sym[], replacements: ReadonlyMap<Node, Sym>): readonly Sym[] {
  const rebuilt = new Map<Node, readonly Sym[]>([...replacements].map(([node, sym]) => [node, [sym]]));
  const renewed = (sym: Sym) => rebuilt.get(sym.node)?.[sym.output] ?? sym;
  for (const node of nodesBehind(outputs)) {
    if (rebuilt.has(node) || !node.inputs.some((sym) => rebuilt.has(sym.node))) continue;
    rebuilt.set(node, applyAll(node.op, node.inputs.map(renewed), node.attributes as OpAttributes[Op]));
  }
  return outputs.map(renewed);
}
