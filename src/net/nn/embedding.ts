import { add, gather } from "../graph/build.ts";
import type { Sym } from "../graph/sym.ts";
import { type LowRank, lowRankRows } from "./linear.ts";

/** A table of vectors, one per id. */
export interface Embedding {
  /** [rows, width] */
  readonly weight: Sym;
  readonly adapter?: LowRank | undefined;
}

/** The vectors of some ids: integers of any shape → [..., width] */
export const embed = (table: Embedding, ids: Sym): Sym => rowsOf(table, (x) => gather(x, ids));

/** Rows of the table, however they are picked. */
export function rowsOf({ weight, adapter }: Embedding, pick: (table: Sym) => Sym): Sym {
  const rows = pick(weight);
  return adapter === undefined ? rows : add(rows, lowRankRows(adapter, pick));
}
