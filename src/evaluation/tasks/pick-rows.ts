import { sha256Hex } from "../../base/digest.ts";
import type { TaskRow } from "./task.ts";

/**
 * At most `limit` rows, picked by a digest of their number: any machine picks the same, a larger limit keeps the rows
 * of a smaller one, and they come from all over the table.
 *
 * @returns in the order given
 */
export function pickRows<Row extends TaskRow>(rows: readonly Row[], limit: number | null): readonly Row[] {
  if (limit === null || rows.length <= limit) return rows;
  const ranked = rows.map(({ index }) => ({ index, rank: sha256Hex(`pick ${index}`) }));
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1));
  const picked = new Set(ranked.slice(0, limit).map(({ index }) => index));
  return rows.filter(({ index }) => picked.has(index));
}
