import type { Node, Op, Sym } from "./sym.ts";

/** dL/dx for each input of a node; null for an input without gradient. */
export type InputGradients = readonly (Sym | null)[];

/**
 * Reverse-mode rule of an op.
 *
 * @param dy    dL/dy for each output; null for an output that the loss does not depend on
 * @param node  the node, with inputs and attributes
 * @param y     its outputs
 * @param walk  for ops with a graph inside
 */
export type GradientRule<K extends Op> = (
  dy: readonly (Sym | null)[],
  node: Node<K>,
  y: readonly Sym[],
  walk: Walk,
) => InputGradients;

/** The reverse walk that calls a rule, for ops with a graph inside. */
export interface Walk {
  readonly pullBack: PullBack;
  /** True when a tensor needs a gradient; for all others a rule may return null. */
  wanted(source: Sym): boolean;
}

/** Vector-Jacobian product: dL/dx for each of `of`, given dL/dy for each of `outputs`. */
export type PullBack = (outputs: readonly Sym[], dy: readonly Sym[], of: readonly Sym[]) => readonly Sym[];
