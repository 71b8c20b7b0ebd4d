import type { Op } from "./ops.ts";
import type { Node, Sym } from "./sym.ts";

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
  pullBack: PullBack,
) => InputGradients;

/** The reverse walk, handed to rules whose op has a graph inside. With `leaves`, nothing flows on from one of `of` to another. */
export type PullBack = (
  outputs: readonly Sym[],
  dy: readonly Sym[],
  of: readonly Sym[],
  options?: { readonly leaves?: boolean },
) => readonly Sym[];
