import { sha256Hex } from "../../base/digest.ts";
import type { RowNumbers } from "./task.ts";

/**
 * At most `limit` rows, picked by a digest of their number: any machine picks the same, a larger limit keeps the rows
 * of a smaller one, and they come from all over the table.
 *
 * @returns in the order given
 */
export function pickRows(rows: RowNumbers, limit: number | null): RowNumbers {
  if (limit === null || rows.length <= limit) return rows;
  const ranked = Array.from(rows, (row) => ({ row, rank: sha256Hex(`pick ${row}`) }));
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1));
  const picked = new Set(ranked.slice(0, limit).map(({ row }) => row));
  return rows.filter((row) => picked.has(row));
}
