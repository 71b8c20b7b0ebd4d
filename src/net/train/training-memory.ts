import { dimTerms, type Shape } from "../graph/dim.ts";
import { nodesBehind } from "../graph/graph.ts";
import type { Sym } from "../graph/sym.ts";
import { isOp } from "../graph/sym.ts";

/** Sizes that a graph is given at run time, by their names: `b`, `t`. */
export type RunSizes = Readonly<Record<string, number>>;

/**
 * Float32 values that a training step has to keep of its forward pass: what every op gives, of which the gradients are
 * computed from, but for those that only look at their input in another shape and those that depend on parameters alone.
 *
 * @param sizes  of every symbolic axis of the graph's inputs; an axis whose size the values decide counts as its largest input's
 */
export function trainingValues(loss: Sym, sizes: RunSizes): number {
  const nodes = nodesBehind([loss]);
  const fed = new Set<unknown>();
  let values = 0;
  for (const node of nodes) {
    if (isOp(node, "Input") || node.inputs.some((sym) => fed.has(sym.node))) fed.add(node);
    else continue;
    if (isOp(node, "Reshape") || isOp(node, "Input")) continue;
    for (const { shape } of node.outputs) values += countOf(shape, sizes);
  }
  return values;
}

function countOf(shape: Shape, sizes: RunSizes): number {
  return shape.reduce<number>((product, dim) => product * sizeOf(dim, sizes), 1);
}

function sizeOf(dim: Shape[number], sizes: RunSizes): number {
  if (typeof dim === "number") return dim;
  const unknown = Math.max(...Object.values(sizes));
  return dimTerms(dim).reduce(
    (sum, { coefficient, symbols }) =>
      sum + symbols.reduce((product, symbol) => product * (sizes[symbol] ?? unknown), coefficient),
    0,
  );
}
