import { sha256Hex } from "../../base/digest.ts";
import { InputError } from "../../base/errors.ts";
import { NumberLog } from "../../base/number-log.ts";
import { NumberSorter } from "../../base/number-sorter.ts";
import { valueAt } from "../../base/record.ts";
import type { NumberList } from "../../base/typed-numbers.ts";
import { modelSequenceOf, NO_BASE } from "../../dna/sequence/encoding.ts";
import type { RowFacts } from "./prediction.ts";
import { blocksOf, filteredRows, RowListBuilder } from "./row-list.ts";
import type { Example, RowList, RowNumbers } from "./task-rows.ts";

/**
 * Picks at most `limit` rows by a digest of their number. Every machine picks the same rows, a larger limit
 * includes the rows of a smaller one, and the rows are spread over the table.
 *
 * @returns in the order given
 */
export function pickRows(rows: RowList, limit: number | null): RowList {
  if (limit === null || rows.length <= limit) return rows;
  return new PickOrder(rows).picked(0, limit);
}

/** The order in which growing limits pick rows: random, and the same on any machine. */
export class PickOrder {
  readonly #rows: RowList;
  /** First digits of each row's digest, in the order of the rows and sorted. */
  readonly #ranks = new NumberLog();
  readonly #sorted: NumberList;

  /** @param digits  hexadecimal digits of a digest that are compared first, at most 13 */
  constructor(rows: RowList, digits = 13) {
    this.#rows = rows;
    const sorter = new NumberSorter(rows.length);
    for (const block of blocksOf(rows)) {
      const ranks = Float64Array.from(block, (row) => Number.parseInt(pickDigest(row).slice(0, digits), 16));
      this.#ranks.append(ranks);
      sorter.append(ranks);
    }
    this.#sorted = sorter.sorted();
  }

  /** Rows at the 0-based ranks [start, end) of the order, in the order of the list. */
  picked(start: number, end: number): RowList {
    if (start >= end) return new Uint32Array(0);
    const [least, most] = [this.#sorted.at(start), this.#sorted.at(end - 1)];
    const found = new RowListBuilder();
    let before = 0;
    let place = 0;
    for (const row of this.#rows) {
      const rank = this.#ranks.at(place++);
      if (rank < least) before++;
      else if (rank <= most) found.push(row);
    }
    const rows = found.done();
    if (rows.length === end - start) return rows;
    // Digests of some rows begin with the same digits.
    const digests = Array.from(rows, (row) => ({ row, digest: pickDigest(row) }));
    digests.sort((a, b) => (a.digest < b.digest ? -1 : 1));
    const picked = new Set(digests.slice(start - before, end - before).map(({ row }) => row));
    return filteredRows(rows, (row) => picked.has(row));
  }
}

const pickDigest = (row: number) => sha256Hex(`pick ${row}`);

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
  return (rows) => Array.from(rows, (row) => valueAt(places, row));
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
    sequences: [modelSequenceOf(codes)],
    ...(unknown === 0 ? {} : { codes: [codes] }),
    facts: { ...facts, unknown },
  };
}
