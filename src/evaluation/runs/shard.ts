import { sha256Hex } from "../../base/digest.ts";
import { InputError } from "../../base/errors.ts";

/** Maximum number of shards. */
export const MAX_SHARDS = 100_000;

/**
 * Parses `3/16`: shard 3 of 16, 1-based.
 * @throws {InputError} unless it is i/n with whole numbers 1 <= i <= n
 */
export function parseShard(text: string): Shard {
  const match = /^(\d{1,6})\/(\d{1,6})$/.exec(text.trim());
  const shard = { index: Number(match?.[1]), count: Number(match?.[2]) };
  if (match === null) {
    throw new InputError(`${JSON.stringify(text)} is not a shard`, {
      hint: "write i/n, such as 3/16 for the third of sixteen",
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
      count <= MAX_SHARDS &&
      1 <= index &&
      index <= count
    )
  ) {
    throw new InputError(`there is no shard ${index} of ${count}`, {
      hint: `expected 1 <= i <= n <= ${MAX_SHARDS}`,
    });
  }
}

/**
 * Assigns a row to a shard, 1-based, by a digest of the row number modulo the number of shards: independent
 * of the machine, of nearly equal size, and with rows of all chromosomes in each shard.
 */
export function shardOfRow(row: number, count: number): number {
  if (count === 1) return 1;
  // 48 bits, which a double holds exactly.
  return (Number.parseInt(sha256Hex(`row ${row}`).slice(0, 12), 16) % count) + 1;
}

/** Name of a shard's files without extension: `003-of-016`. */
export function shardName({ index, count }: Shard): string {
  return `${String(index).padStart(3, "0")}-of-${String(count).padStart(3, "0")}`;
}

/** Shard `index` (1-based) of the `count` shards of a cell. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}
