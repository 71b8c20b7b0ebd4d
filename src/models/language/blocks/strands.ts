import {
  cast,
  concat,
  flip,
  gather,
  range,
  reshape,
  slice,
  squeeze,
  sub,
  transpose,
} from "../../../net/graph/build.ts";
import type { Dim } from "../../../net/graph/dim.ts";
import type { Sym } from "../../../net/graph/sym.ts";

// Both strands of DNA as rows of one batch: first all sequences, then all their reverse complements.
// axes: b batch · t tokens · d width

/** The other strand's tokens: complements in reverse order.  ids: [t, b]; complements: [v] */
export const otherStrand = (ids: Sym, complements: Sym): Sym => flip(gather(complements, ids), 0);

/** Sequences and their reverse complements: [t, b] → [t, 2b] */
export const bothStrands = (ids: Sym, complements: Sym): Sym =>
  concat([ids, otherStrand(ids, complements)], 1);

/** Where a token stands in either strand: places p and t − 1 − p.  int32 [b] → int32 [2b] */
export function placesOnBothStrands(positions: Sym, tokens: Dim): Sym {
  const last = cast(slice(range(tokens), 0, -1), "int32");
  return concat([positions, sub(last, positions)], 0);
}

/** What is computed of both strands, brought to the places of the sequences' own tokens: each [b, t, d]. */
export interface Strands {
  readonly own: Sym;
  readonly other: Sym;
}

/** States of the rows that `bothStrands` makes, by strand.  x: [t, 2b, d] */
export function byStrand(x: Sym, batch: Dim): Strands {
  const [tokens, , width] = x.shape;
  const strands = transpose(reshape(x, [tokens!, 2, batch, width!]), [1, 2, 0, 3]);
  const strand = (i: number) => squeeze(slice(strands, 0, i, i + 1), 0);
  return { own: strand(0), other: flip(strand(1), 1) };
}

/** As one state of twice the width, in which the other strand's channels stand in reverse order: [b, t, 2d] */
export const sideBySide = ({ own, other }: Strands): Sym => concat([own, flip(other, 2)], 2);
