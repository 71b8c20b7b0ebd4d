import { applyAll } from "./apply.ts";
import { add, fill, scan } from "./build.ts";
import type { Walk } from "./gradient-rule.ts";
import { ancestorsOf, capturedBy } from "./graph.ts";
import type { Node, Sym } from "./sym.ts";

/**
 * The gradient of a loop is a loop in the opposite direction. Each step receives the gradient of its new
 * state, the gradients of its emitted values and its initial state; it returns the gradients of that state
 * and of its elements, and accumulates those of the tensors captured from outside.
 *
 * The initial state of each step comes from running the loop forward once more and emitting the states: one
 * more evaluation, instead of keeping all states of the forward pass in memory.
 *
 * @returns gradients of initial states, scanned tensors, then captured tensors in the order of `capturedBy`
 */
export function scanGradient(
  dy: readonly (Sym | null)[],
  node: Node<"Scan">,
  y: readonly Sym[],
  { pullBack, wanted }: Walk,
): readonly (Sym | null)[] {
  const { states, elements, results, axis, reverse } = node.attributes;
  const initial = node.inputs.slice(0, states.length);
  const scanned = node.inputs.slice(states.length);
  const captured = capturedBy(node);
  const differentiable = captured.filter((sym) => sym.dtype.startsWith("float") && wanted(sym));
  const body = (state: readonly Sym[], element: readonly Sym[]) =>
    substitute(results, new Map([...pairs(states, state), ...pairs(elements, element)]));

  const { emitted: begun } = scan(
    initial,
    scanned,
    (state, element) => ({ states: body(state, element).slice(0, states.length), emit: [...state] }),
    { axis, reverse },
  );

  const dLast = states.map((state, i) => dy[i] ?? fill(state.shape, 0, state.dtype));
  const dEmitted = y
    .slice(states.length)
    .map((out, i) => dy[states.length + i] ?? fill(out.shape, 0, out.dtype));
  const zeros = differentiable.map(({ shape, dtype }) => fill(shape, 0, dtype));
  const back = scan(
    [...dLast, ...zeros],
    [...begun, ...scanned, ...dEmitted],
    (carried, seen) => {
      const dState = carried.slice(0, states.length);
      const sums = carried.slice(states.length);
      const state = seen.slice(0, states.length);
      const element = seen.slice(states.length, states.length + elements.length);
      const dOut = seen.slice(states.length + elements.length);
      const flows = pullBack(
        body(state, element),
        [...dState, ...dOut],
        [...state, ...element, ...differentiable],
      );
      const dElements = flows.slice(states.length, states.length + elements.length);
      const dCaptured = flows.slice(states.length + elements.length);
      return {
        states: [...flows.slice(0, states.length), ...sums.map((sum, i) => add(sum, dCaptured[i]))],
        emit: dElements,
      };
    },
    { axis, reverse: !reverse },
  );
  const capturedFlows = new Map(differentiable.map((sym, i) => [sym, back.states[states.length + i]]));
  return [
    ...back.states.slice(0, states.length),
    ...back.emitted,
    ...captured.map((sym) => capturedFlows.get(sym) ?? null),
  ];
}

const pairs = (from: readonly Sym[], to: readonly Sym[]) => from.map((sym, i) => [sym.node, to[i]] as const);

/**
 * Copies a graph with some nodes replaced: nodes that depend on a replaced one are rebuilt, all others are
 * shared.
 *
 * @param replacements  by node; a replacement stands for the first output of the node
 */
function substitute(outputs: readonly Sym[], replacements: ReadonlyMap<Node, Sym>): readonly Sym[] {
  const rebuilt = new Map<Node, readonly Sym[]>([...replacements].map(([node, sym]) => [node, [sym]]));
  const renewed = (sym: Sym) => rebuilt.get(sym.node)?.[sym.output] ?? sym;
  for (const node of ancestorsOf(outputs)) {
    if (rebuilt.has(node) || !node.inputs.some((sym) => rebuilt.has(sym.node))) continue;
    rebuilt.set(node, applyAll(node.op, node.inputs.map(renewed), node.attributes));
  }
  return outputs.map(renewed);
}
