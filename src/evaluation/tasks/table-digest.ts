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
  rows: Iterable<Row>,
  valuesOf: (row: Row) => readonly unknown[],
  heading: readonly string[] = [],
): string {
  const parts = [...heading];
  let lines: string[] = [];
  const flush = () => {
    if (lines.length > 0) parts.push(sha256Hex(lines.join("\n")));
    lines = [];
  };
  for (const row of rows) {
    lines.push(valuesOf(row).join("\t"));
    if (lines.length === AT_ONCE) flush();
  }
  flush();
  return sha256Hex(parts.join("\n"));
}
