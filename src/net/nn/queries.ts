import { cast, expand, gatherElements, range, reshape } from "../graph/build.ts";
import type { Dim } from "../graph/dim.ts";
import type { Sym } from "../graph/sym.ts";

// axes: b batch · t tokens · q queries

/**
 * The tokens of each sequence that a layer computes: all of them, or one. Keys and values are those of all
 * tokens in either case, so one token's state in the last layer costs a t-th of that layer.
 */
export interface Queries {
  /**
   * Their 0-based positions in the row, padding counted: float32 [1, q], or [b, q] where sequences differ.
   */
  readonly positions: Sym;
  /** Selects their rows of a tensor of all tokens: [b, t, d] → [b, q, d]. */
  rowsOf(x: Sym): Sym;
}

/** Every token: q = t. */
export function everyToken(tokens: Dim): Queries {
  return { positions: reshape(cast(range(tokens), "float32"), [1, tokens]), rowsOf: (x) => x };
}

/** One token of each sequence: q = 1.  positions: int32 [b] */
export function oneToken(positions: Sym): Queries {
  const batch = positions.shape[0];
  return {
    positions: reshape(cast(positions, "float32"), [batch, 1]),
    rowsOf: (x) => rowAt(x, positions),
  };
}

/** Row positions[i] of sequence i: [b, t, d], int32 [b] → [b, 1, d]. */
export function rowAt(x: Sym, positions: Sym): Sym {
  const batch = positions.shape[0];
  const indices = expand(reshape(positions, [batch, 1, 1]), [batch, 1, x.shape[2]]);
  return gatherElements(x, indices, 1);
}
