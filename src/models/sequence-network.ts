import type { Sym } from "../net/graph/sym.ts";
import type { FreshTensor } from "../net/nn/init.ts";

/** A network at given sizes: what it is made of, and its graph. */
export interface BuiltNetwork {
  /** Parameters of the graph, with how they begin. */
  readonly tensors: readonly FreshTensor[];
  /** Names of its layers and lone tensors in the original's state dicts, by ours; absent for other networks. */
  readonly originalLayers?: Readonly<Record<string, string>>;
  /**
   * @param x  one-hot sequences [b, l, 4], channels A C G T, zeros where no base is known
   * @returns  [b, outputs]
   */
  logits(x: Sym): Sym;
}

/** A network that learns from sequences alone, of any length and number of outputs that it can have. */
export interface SequenceNetwork {
  /** Bases that it needs at least. */
  readonly shortest: number;
  build(sizes: { readonly length: number; readonly outputs: number }): BuiltNetwork;
}
