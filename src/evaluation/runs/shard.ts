import { sha256Hex } from "../../base/digest.ts";
import { InputError } from "../../base/errors.ts";

/** No shard of a run with more would have a row to itself. */
export const MOST_SHARDS = 100_000;

/**
 * `3/16` as a person types it: shard 3 of 16, counted from 1.
 * @throws {InputError} when it is not two whole numbers i/n with 1 <= i <= n
 */
export function parseShard(text: string): Shard {
  const match = /^(\d{1,6})\/(\d{1,6})$/.exec(text.trim());
  const shard = { index: Number(match?.[1]), count: Number(match?.[2]) };
  if (match === null) {
    throw new InputError(`${JSON.stringify(text)} is not a shard`, {
      hint: "write i/n, for example 3/16 for the third of sixteen",
    });
  }
  checkShard(shard);
  return shard;
}

/** @throws {InputError} when index is not a whole number from 1 to count */
export function checkShard({ index, count }: Shard): void {
  if (
    !(
      Number.isInteger(index) &&
      Number.isInteger(count) &&
      count <= MOST_SHARDS &&
      1 <= index &&
      index <= count
    )
  ) {
    throw new InputError(`there is no shard ${index} of ${count}`, {
      hint: `shards are counted from 1 to their number, which is at most ${MOST_SHARDS}`,
    });
  }
}

/**
 * Which shard a row belongs to, 1-based: a digest of the row's number, modulo the number of shards. So every machine
 * agrees without talking, shards are of nearly equal size, and no shard holds a chromosome to itself.
 */
export function shardOfRow(row: number, count: number): number {
  if (count === 1) return 1;
  // 48 bits, which a double holds exactly.
  return (Number.parseInt(sha256Hex(`row ${row}`).slice(0, 12), 16) % count) + 1;
}

/** The name of a shard's files without ending: `003-of-016`. */
export function shardName({ index, count }: Shard): string {
  return `${String(index).padStart(3, "0")}-of-${String(count).padStart(3, "0")}`;
}

/** Part of a cell's rows: shard `index` (1-based) of `count`. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}
