import { sha256Hex } from "../../base/digest.ts";
import { InputError } from "../../base/errors.ts";
import { modelLettersOf, NO_BASE } from "../../dna/sequence/encoding.ts";
import type { RowFacts } from "./prediction.ts";
import type { Example, RowNumbers } from "./task-rows.ts";

/**
 * At most `limit` rows, picked by a digest of their number: any machine picks the same, a larger limit
 * includes the rows of a smaller one, and the rows are spread over the table.
 *
 * @returns in the order given
 */
export function pickRows(rows: RowNumbers, limit: number | null): RowNumbers {
  if (limit === null || rows.length <= limit) return rows;
  const picked = new Set(pickOrder(rows).subarray(0, limit));
  return rows.filter((row) => picked.has(row));
}

/** Rows in the order in which growing limits pick them: random, and the same on any machine. */
export function pickOrder(rows: RowNumbers): RowNumbers {
  const ranked = Array.from(rows, (row) => ({ row, rank: sha256Hex(`pick ${row}`) }));
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1));
  return Uint32Array.from(ranked, ({ row }) => row);
}

interface NumberedRow {
  /** 0-based number of the data row in the whole table. */
  readonly index: number;
}

/** @throws {InputError} when a number is 2^32 or more */
export function numbersOf(rows: readonly NumberedRow[]): RowNumbers {
  for (const { index } of rows) checkRowNumber(index);
  return Uint32Array.from(rows, ({ index }) => index);
}

/** @throws {InputError} when a number is 2^32 or more */
export function checkRowNumber(index: number): void {
  if (index < 2 ** 32) return;
  throw new InputError(`a row has the index ${index}`, { hint: "row numbers are below 2^32" });
}

/** Rows of a table by their numbers, in the order of the numbers given. */
export function rowsByNumber<Row extends NumberedRow>(table: readonly Row[]): (rows: RowNumbers) => Row[] {
  if (table.every(({ index }, i) => index === i)) return (rows) => Array.from(rows, (row) => table[row]);
  const places = new Map(table.map((row) => [row.index, row]));
  return (rows) => Array.from(rows, (row) => places.get(row)!);
}

/** Number of rows on each chromosome, in order of first appearance. */
export function rowsPerChromosome(table: Iterable<{ readonly chrom: string }>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { chrom } of table) counts.set(chrom, (counts.get(chrom) ?? 0) + 1);
  return counts;
}

/** Rows whose text is in memory at the same time. */
const AT_ONCE = 65_536;

/**
 * SHA-256 of a table's values, independent of file format and compression: the digest of digests of blocks of
 * rows, each row as its values separated by tabs.
 *
 * @param valuesOf  values of a row
 * @param heading   values of the table as a whole
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

/**
 * Example of one sequence from its base codes, with the number of positions without a base as the fact
 * `unknown`. `codes` are present only if there are such positions, which a language model sees as A.
 *
 * @param codes  0 A, 1 C, 2 G, 3 T, 4 no base (N, or off the chromosome)
 */
export function exampleOfCodes<Row extends RowFacts>(
  row: number,
  codes: Uint8Array,
  facts: Row,
): Example<Row & { readonly unknown: number }> {
  const unknown = codes.reduce((count, code) => (code === NO_BASE ? count + 1 : count), 0);
  return {
    row,
    sequences: [modelLettersOf(codes)],
    ...(unknown === 0 ? {} : { codes: [codes] }),
    facts: { ...facts, unknown },
  };
}
