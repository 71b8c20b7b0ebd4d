import { createHash } from "node:crypto";
import { NumberLog } from "../../base/number-log.ts";
import type { Numbers } from "../../base/typed-numbers.ts";
import type { RowList, RowNumbers } from "./task-rows.ts";

/** Row numbers that are in memory together. */
const BLOCK = 65_536;

/** Splits rows into consecutive blocks. @param size  rows per block */
export function* blocksOf(rows: RowList, size = BLOCK): Generator<RowNumbers> {
  for (let start = 0; start < rows.length; start += size) yield rows.slice(start, start + size);
}

/** A list whose numbers are read on access. @param read  reads the numbers at indices [start, end) */
export function rowListOf(length: number, read: (start: number, end: number) => Numbers): RowList {
  return {
    length,
    slice: (start = 0, end = length) => new Uint32Array(read(Math.min(start, length), Math.min(end, length))),
    *[Symbol.iterator]() {
      for (let at = 0; at < length; at += BLOCK) yield* read(at, Math.min(at + BLOCK, length));
    },
  };
}

/** Collects row numbers in order of arrival: up to 65,536 in memory, more in a `NumberLog`. */
export class RowListBuilder {
  readonly #log = new NumberLog();

  push(row: number): void {
    this.#log.push(row);
  }

  append(rows: Numbers): void {
    this.#log.append(rows);
  }

  done(): RowList {
    const log = this.#log;
    const read = (start: number, end: number) => log.read(start, end, "uint32");
    if (log.length <= BLOCK) return new Uint32Array(read(0, log.length));
    return rowListOf(log.length, read);
  }
}

/** The rows for which a condition is true, in their order. */
export function filteredRows(rows: RowList, is: (row: number) => boolean): RowList {
  const found = new RowListBuilder();
  for (const block of blocksOf(rows)) found.append(block.filter(is));
  return found.done();
}

/** SHA-256 of row numbers, one per line. @param ascending  strictly ascending */
export function rowsDigest(ascending: RowList): string {
  const hash = createHash("sha256");
  let separator = "";
  for (const block of blocksOf(ascending)) {
    hash.update(separator + block.join("\n"));
    separator = "\n";
  }
  return hash.digest("hex");
}
