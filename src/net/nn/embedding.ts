import { add, gather } from "../graph/build.ts";
import type { Sym } from "../graph/sym.ts";
import { type LowRank, lowRankRows } from "./linear.ts";

/** An embedding table, one vector per id. */
export interface Embedding {
  /** [rows, width] */
  readonly weight: Sym;
  readonly adapter?: LowRank | undefined;
}

/** Vectors of ids: integers of any shape → [..., width] */
export const embed = (table: Embedding, ids: Sym): Sym => rowsOf(table, (x) => gather(x, ids));

/** Rows of the table, selected by any op. */
export function rowsOf({ weight, adapter }: Embedding, pick: (table: Sym) => Sym): Sym {
  const rows = pick(weight);
  return adapter === undefined ? rows : add(rows, lowRankRows(adapter, pick));
}
