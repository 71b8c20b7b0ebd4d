import { cast, expand, gatherElements, range, reshape } from "../graph/build.ts";
import type { Dim } from "../graph/dim.ts";
import type { Sym } from "../graph/sym.ts";

// axes: b batch · t tokens · q queries

/**
 * Tokens whose output a layer computes: all tokens of each sequence (q = t), or one (q = 1). Keys and values
 * always belong to all tokens. With one query, the last layer costs 1/t of what it costs with all.
 */
export interface Queries {
  /** 0-based positions of the queries, padding counted: float32 [1, q], or [b, q] if sequences differ. */
  readonly positions: Sym;
  /** Selects the states of the queries: [b, t, d] → [b, q, d]. */
  select(x: Sym): Sym;
}

/** Every token is a query: q = t. */
export function everyToken(tokens: Dim): Queries {
  return { positions: reshape(cast(range(tokens), "float32"), [1, tokens]), select: (x) => x };
}

/** One token of each sequence is a query: q = 1.  positions: int32 [b], 0-based */
export function oneToken(positions: Sym): Queries {
  const batch = positions.shape[0];
  return {
    positions: reshape(cast(positions, "float32"), [batch, 1]),
    select: (x) => stateAt(x, positions),
  };
}

/**
 * State of token positions[i] of each sequence i.  x: [b, t, d], positions: int32 [b], 0-based → [b, 1, d]
 */
export function stateAt(x: Sym, positions: Sym): Sym {
  const batch = positions.shape[0];
  const indices = expand(reshape(positions, [batch, 1, 1]), [batch, 1, x.shape[2]]);
  return gatherElements(x, indices, 1);
}
