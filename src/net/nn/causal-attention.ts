import {
  and,
  cast,
  expand,
  greater,
  lessOrEqual,
  range,
  reshape,
  scalar,
  sub,
  unsqueeze,
  where,
} from "../graph/build.ts";
import type { Dim } from "../graph/dim.ts";
import { multiplyDims } from "../graph/dim.ts";
import type { Sym } from "../graph/sym.ts";
import { LOWEST } from "./attention.ts";
import type { Queries } from "./queries.ts";

// axes: b batch (or 1) · h heads · q queries · t tokens · c width of a head

export interface CausalSight {
  /** float32 [b, t], 1 for a token and 0 for padding, which no token sees. */
  readonly mask?: Sym | undefined;
  /** How many tokens back a token sees, itself counted; all of them when absent. */
  readonly window?: number | undefined;
}

/**
 * What keeps a query from the tokens after it, from padding and from what lies before its window: 0 where it sees, the
 * lowest number where it does not. To be added to the scores of attention.
 *
 * @returns [b, 1, q, t]
 */
export function causalBias({ places }: Queries, tokens: Dim, { mask, window }: CausalSight): Sym {
  const back = sub(unsqueeze(places, 2), cast(range(tokens), "float32")); // [b, q, t]
  const sights = [
    lessOrEqual(scalar(0), back),
    ...(window === undefined ? [] : [lessOrEqual(back, window - 1)]),
    ...(mask === undefined ? [] : [greater(unsqueeze(mask, 1), 0)]),
  ];
  return unsqueeze(where(sights.reduce(and), scalar(0), LOWEST), 1);
}

/**
 * Keys or values that groups of neighbouring query heads share, one copy per query head (Ainslie et al. 2023,
 * arXiv:2305.13245).  [b, h, t, c] → [b, h·times, t, c]
 */
export function repeatHeads(x: Sym, times: number): Sym {
  const [batch, heads, tokens, width] = x.shape as readonly [Dim, Dim, Dim, Dim];
  const copies = expand(unsqueeze(x, 2), [batch, heads, times, tokens, width]);
  return reshape(copies, [batch, multiplyDims(heads, times), tokens, width]);
}
