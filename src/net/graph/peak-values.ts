import { chunkedSize, type Dim, dimTerms, type Shape } from "./dim.ts";
import { ancestorsOf, capturedBy } from "./graph.ts";
import type { Node, OpAttributes, Sym } from "./sym.ts";
import { isOp } from "./sym.ts";

/** Values of the symbolic sizes at a run, by name: `b`, `t`. */
export type RunSizes = Readonly<Record<string, number>>;

/**
 * Largest number of elements alive at once while a graph is computed node by node, each tensor from its node
 * to its last use. Excludes inputs, and tensors that depend on parameters only.
 *
 * @param sizes  a size that is not named here, because values determine it, counts as the largest that is
 */
export function peakValues(outputs: readonly Sym[], sizes: RunSizes): number {
  return peakOf(ancestorsOf(outputs).filter(dependsOnInput()), outputs, sizes);
}

/** Largest number of elements alive at once in a step of a loop. */
function peakOfStep({ states, elements, results }: OpAttributes["Scan"], sizes: RunSizes): number {
  const own = new Set([...states, ...elements].map(({ node }) => node));
  const order = ancestorsOf(results).filter((node) => {
    if (usesOf(node).some((sym) => own.has(sym.node))) own.add(node);
    return own.has(node);
  });
  return peakOf(order, results, sizes);
}

/** @param order  the counted nodes, inputs before users */
function peakOf(order: readonly Node[], outputs: readonly Sym[], sizes: RunSizes): number {
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
    isOp(node, "Input") || isMapped(node)
      ? 0
      : node.outputs.reduce((sum, { shape }) => sum + countOf(shape, sizes), 0);
  let alive = 0;
  let most = 0;
  order.forEach((node, at) => {
    if (own(node) === node) alive += valuesOf(node);
    most = Math.max(most, alive + (isOp(node, "Scan") ? peakOfStep(node.attributes, sizes) : 0));
    for (const ended of endingAt.get(at) ?? []) if (counted.has(ended)) alive -= valuesOf(ended);
  });
  return most;
}

/** Number of elements that depend on parameters only and are held as float16. */
export function halfConstants(outputs: readonly Sym[]): number {
  const computed = dependsOnInput();
  return ancestorsOf(outputs)
    .filter((node) => !computed(node) && isOp(node, "Cast") && node.attributes.to === "float16")
    .reduce((sum, { outputs: [{ shape }] }) => sum + countOf(shape, {}), 0);
}

/** Number of elements of the largest tensor computed at a run. @param sizes  as for `peakValues` */
export function largestTensor(outputs: readonly Sym[], sizes: RunSizes): number {
  return ancestorsOf(outputs)
    .filter(dependsOnInput())
    .flatMap((node) => node.outputs.map(({ shape }) => countOf(shape, sizes)))
    .reduce((most, count) => Math.max(most, count), 0);
}

/** Number of elements of all inputs of a graph. @param sizes  as for `peakValues` */
export function inputValues(outputs: readonly Sym[], sizes: RunSizes): number {
  return ancestorsOf(outputs)
    .filter((node) => isOp(node, "Input"))
    .reduce((sum, { outputs: [{ shape }] }) => sum + countOf(shape, sizes), 0);
}

/** A parameter that is loaded in the type of its file is read in place. */
const isMapped = (node: Node) => isOp(node, "LoadParameter") && node.inputs[0].dtype === "float32";

const usesOf = (node: Node): readonly Sym[] => [...node.inputs, ...capturedBy(node)];

/** Predicate for nodes that are computed at every run; must be called on nodes in order. */
export function dependsOnInput(): (node: Node) => boolean {
  const fed = new Set<Node>();
  return (node) => {
    const depends = isOp(node, "Input") || usesOf(node).some((sym) => fed.has(sym.node));
    if (depends) fed.add(node);
    return depends;
  };
}

/** Number of elements at a run. @param sizes  as for `peakValues` */
export const countOf = (shape: Shape, sizes: RunSizes): number =>
  shape.reduce<number>((product, dim) => product * sizeOf(dim, sizes), 1);

function sizeOf(dim: Dim, sizes: RunSizes): number {
  if (typeof dim === "number") return dim;
  const largest = Math.max(...Object.values(sizes));
  const named = (symbol: string): number => {
    const chunked = chunkedSize(symbol);
    return chunked === undefined ? (sizes[symbol] ?? largest) : Math.ceil(named(chunked.of) / chunked.length);
  };
  return dimTerms(dim).reduce(
    (sum, { coefficient, symbols }) =>
      sum + symbols.reduce((product, symbol) => product * named(symbol), coefficient),
    0,
  );
}
