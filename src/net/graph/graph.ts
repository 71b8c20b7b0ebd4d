import { GraphError } from "./graph-error.ts";
import type { Node, Sym } from "./sym.ts";
import { isOp } from "./sym.ts";

/** A computation: named outputs, and everything they depend on. */
export interface Graph {
  readonly outputs: Readonly<Record<string, Sym>>;
  /** Every node that the outputs depend on, inputs before users; without the bodies of loops. */
  readonly nodes: readonly Node[];
  readonly inputs: readonly Node<"Input">[];
  readonly parameters: readonly Node<"Parameter">[];
}

/**
 * Collects the nodes that some outputs depend on.
 *
 * @throws {GraphError} when two inputs or two parameters of one name differ
 */
export function graphOf(outputs: Readonly<Record<string, Sym>>): Graph {
  const nodes = ancestorsOf(Object.values(outputs));
  const everywhere = withBodies(nodes);
  return {
    outputs,
    nodes,
    inputs: distinct(nodes.filter((node): node is Node & Node<"Input"> => isOp(node, "Input"))),
    parameters: distinct(
      everywhere.filter((node): node is Node & Node<"Parameter"> => isOp(node, "Parameter")),
    ),
  };
}

/**
 * Nodes that the given tensors depend on, each once, inputs before users. Iterative, because graphs are deep.
 */
export function ancestorsOf(roots: readonly Sym[]): readonly Node[] {
  const done = new Set<Node>();
  const stack: { node: Node; entered: boolean }[] = roots
    .map(({ node }) => ({ node, entered: false }))
    .reverse();
  const order: Node[] = [];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    if (done.has(top.node)) continue;
    if (top.entered) {
      done.add(top.node);
      order.push(top.node);
      continue;
    }
    stack.push({ node: top.node, entered: true });
    for (const used of [...top.node.inputs, ...capturedBy(top.node)].reverse()) {
      if (!done.has(used.node)) stack.push({ node: used.node, entered: false });
    }
  }
  return order;
}

/** The nodes, and those inside the bodies of loops, each once. */
function withBodies(nodes: readonly Node[]): readonly Node[] {
  const found = new Set(nodes);
  for (const node of found) {
    if (isOp(node, "Scan")) for (const inner of ancestorsOf(node.attributes.results)) found.add(inner);
  }
  return [...found];
}

/**
 * Tensors outside a loop that its body uses: they do not depend on the loop's own variables and are computed
 * once.
 */
export function capturedBy(node: Node): readonly Sym[] {
  if (!isOp(node, "Scan")) return [];
  const known = captures.get(node) ?? findCaptured(node);
  captures.set(node, known);
  return known;
}

/** Results of `capturedBy`. Of loops that use results of earlier loops, each is walked once. */
const captures = new WeakMap<Node, readonly Sym[]>();

function findCaptured(node: Node<"Scan">): readonly Sym[] {
  const own = new Set([...node.attributes.states, ...node.attributes.elements].map((sym) => sym.node));
  const inner = ancestorsOf(node.attributes.results);
  const dependent = new Set<Node>();
  for (const candidate of inner) {
    const uses = [...candidate.inputs, ...capturedBy(candidate)];
    if (own.has(candidate) || uses.some((sym) => dependent.has(sym.node))) dependent.add(candidate);
  }
  const captured = inner
    .filter((candidate) => dependent.has(candidate))
    .flatMap((candidate) => [...candidate.inputs, ...capturedBy(candidate)])
    .concat(node.attributes.results)
    .filter((sym) => !dependent.has(sym.node));
  return [...new Map(captured.map((sym) => [sym.node, sym])).values()];
}

function distinct<T extends Node<"Input"> | Node<"Parameter">>(nodes: readonly T[]): readonly T[] {
  const byName = new Map<string, T>();
  for (const node of nodes) {
    const { name, shape, dtype } = node.attributes;
    const known = byName.get(name);
    if (known === undefined) byName.set(name, node);
    else if (String(known.attributes.shape) !== String(shape) || known.attributes.dtype !== dtype) {
      throw new GraphError(`two tensors named ${JSON.stringify(name)} differ in shape or type`);
    }
  }
  return [...byName.values()];
}

/** Input and axis from which each symbolic size is read. */
export function symbolSources(
  inputs: readonly Node<"Input">[],
): ReadonlyMap<string, { input: string; axis: number }> {
  const sources = new Map<string, { input: string; axis: number }>();
  for (const { attributes } of inputs) {
    attributes.shape.forEach((dim, axis) => {
      if (typeof dim === "string" && !sources.has(dim)) sources.set(dim, { input: attributes.name, axis });
    });
  }
  return sources;
}
