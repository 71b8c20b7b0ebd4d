import type { Node, Op, Sym } from "./sym.ts";

/** dL/dx for each input of a node; null where nothing flows. */
export type InputGradients = readonly (Sym | null)[];

/**
 * @param dy    dL/dy for each output; null for an output the loss does not depend on
 * @param node  with its inputs and attributes
 * @param y     its outputs
 */
export type GradientRule<K extends Op> = (
  dy: readonly (Sym | null)[],
  node: Node<K>,
  y: readonly Sym[],
  walk: Walk,
) => InputGradients;

/** The reverse walk that asks, for rules whose op has a graph inside. */
export interface Walk {
  readonly pullBack: PullBack;
  /** Whether a gradient is asked of what a tensor was made of; of all others a rule may give null. */
  wanted(source: Sym): boolean;
}

/** With `leaves`, nothing flows on from one of `of` to another. */
export type PullBack = (
  outputs: readonly Sym[],
  dy: readonly Sym[],
  of: readonly Sym[],
  options?: { readonly leaves?: boolean },
) => readonly Sym[];
