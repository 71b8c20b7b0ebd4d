import type { Graph } from "../../src/net/graph/graph.ts";
import type { Node, Sym } from "../../src/net/graph/sym.ts";
import { isOp } from "../../src/net/graph/sym.ts";

/** Nodes that use a parameter, or a slice of it. */
export function usersOf(graph: Graph, parameter: string): readonly Node[] {
  const isParameter = ({ node }: Sym): boolean =>
    (isOp(node, "Parameter") && node.attributes.name === parameter) ||
    (isOp(node, "Slice") && isParameter(node.inputs[0]));
  return graph.nodes.filter((node) => !isOp(node, "Slice") && node.inputs.some(isParameter));
}

/** Output of the first node that uses a parameter. */
export const madeWith = (graph: Graph, parameter: string): Sym => outputOf(usersOf(graph, parameter)[0]);

/** The other input of the node that uses a parameter. */
export const givenTo = (graph: Graph, parameter: string): Sym => usersOf(graph, parameter)[0].inputs[0];

export const outputOf = (node: Node): Sym => ({ node, output: 0, ...node.outputs[0] });
