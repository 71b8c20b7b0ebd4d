import { sha256Hex } from "../../base/digest.ts";

/** Rows whose text is in memory at once. */
const AT_ONCE = 65_536;

/**
 * SHA-256 of what the rows of a table say, whatever file format and compression they came in: of digests of runs of rows,
 * each row as its values with tabs between.
 *
 * @param valuesOf  what a row says
 * @param heading   what the table says beside its rows
 */
export function tableDigest<Row>(
  rows: readonly Row[],
  valuesOf: (row: Row) => readonly unknown[],
  heading: readonly string[] = [],
): string {
  const parts = [...heading];
  for (let start = 0; start < rows.length; start += AT_ONCE) {
    const lines = rows.slice(start, start + AT_ONCE).map((row) => valuesOf(row).join("\t"));
    parts.push(sha256Hex(lines.join("\n")));
  }
  return sha256Hex(parts.join("\n"));
}
