import { type Dim, dimTerms, type Shape } from "./dim.ts";
import { capturedBy, nodesBehind } from "./graph.ts";
import type { Node, Sym } from "./sym.ts";
import { isOp } from "./sym.ts";

/** What the symbolic sizes of a graph's inputs are at a run, by their names: `b`, `t`. */
export type RunSizes = Readonly<Record<string, number>>;

/**
 * Elements alive at once, at most, while a graph is computed node after node: each tensor from where it is made to its last
 * use. Inputs and what depends on parameters alone are not counted, nor what a loop's body holds besides its results.
 *
 * @param sizes  a size that is not named here, which the values decide, counts as the largest that is
 */
export function peakValues(outputs: readonly Sym[], sizes: RunSizes): number {
  const order = nodesBehind(outputs).filter(dependsOnInput());
  const counted = new Set(order);
  const owner = new Map<Node, Node>();
  const own = (node: Node): Node => owner.get(node) ?? node;
  const lastUse = new Map<Node, number>();
  order.forEach((node, at) => {
    const source = node.inputs[0]?.node;
    if (isOp(node, "Reshape") && source !== undefined && counted.has(source)) owner.set(node, own(source));
    for (const used of usesOf(node)) lastUse.set(own(used.node), at);
  });
  for (const { node } of outputs) lastUse.set(own(node), order.length);
  const endingAt = new Map<number, Node[]>();
  for (const [node, at] of lastUse) endingAt.set(at, [...(endingAt.get(at) ?? []), node]);
  const valuesOf = (node: Node) =>
    isOp(node, "Input") ? 0 : node.outputs.reduce((sum, { shape }) => sum + countOf(shape, sizes), 0);
  let alive = 0;
  let most = 0;
  order.forEach((node, at) => {
    if (own(node) === node) alive += valuesOf(node);
    most = Math.max(most, alive);
    for (const ended of endingAt.get(at) ?? []) if (counted.has(ended)) alive -= valuesOf(ended);
  });
  return most;
}

const usesOf = (node: Node): readonly Sym[] => [...node.inputs, ...capturedBy(node)];

/** Whether a node is computed at every run, asked of nodes in their order. */
function dependsOnInput(): (node: Node) => boolean {
  const fed = new Set<Node>();
  return (node) => {
    const depends = isOp(node, "Input") || usesOf(node).some((sym) => fed.has(sym.node));
    if (depends) fed.add(node);
    return depends;
  };
}

const countOf = (shape: Shape, sizes: RunSizes): number =>
  shape.reduce<number>((product, dim) => product * sizeOf(dim, sizes), 1);

function sizeOf(dim: Dim, sizes: RunSizes): number {
  if (typeof dim === "number") return dim;
  const largest = Math.max(...Object.values(sizes));
  return dimTerms(dim).reduce(
    (sum, { coefficient, symbols }) =>
      sum + symbols.reduce((product, symbol) => product * (sizes[symbol] ?? largest), coefficient),
    0,
  );
}
