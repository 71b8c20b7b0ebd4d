import { InputError } from "../../base/errors.ts";
import type { Tokenizer } from "../../dna/tokenizers/tokenizer.ts";
import type { NdArray } from "../../net/arrays/array.ts";
import type { Architecture } from "./architecture.ts";

/** A padded batch of token ids. */
export interface Batch {
  /** int32 [b, t] */
  readonly ids: NdArray<"int32">;
  /** float32 [b, t]: 1 for a token, 0 for padding */
  readonly mask: NdArray<"float32">;
}

/** Token ids of one sequence, special tokens included. */
export interface Row {
  readonly ids: Int32Array;
}

type Demand = Pick<Architecture, "liveValuesPerToken" | "liveValuesPerPair" | "maxRowsPerRun">;

/**
 * Maximum number of float32 values alive at once in one run; larger runs take more memory and are not faster.
 */
const MAX_LIVE_VALUES = 2 ** 26;

/** Number of float32 values alive at once per row of this many tokens. */
export function liveValuesPerRow(
  { liveValuesPerToken, liveValuesPerPair = 0 }: Demand,
  tokens: number,
): number {
  return tokens * (liveValuesPerToken + tokens * liveValuesPerPair);
}

/**
 * Number of rows of this many tokens that one run takes; at least 1. All pairs of tokens count, although long
 * rows on the CPU take queries in blocks (`Programs`): several long rows in one run are not faster.
 */
export function rowsPerRun(demand: Demand, tokens: number): number {
  const fitting = Math.floor(MAX_LIVE_VALUES / liveValuesPerRow(demand, Math.max(1, tokens)));
  return Math.max(1, Math.min(fitting, demand.maxRowsPerRun ?? fitting));
}

/** Pads rows on the right to `tokens` tokens, by default the longest row's. */
export function collate(rows: readonly Row[], { pad = 0, tokens = longestRow(rows) } = {}): Batch {
  const shape = [rows.length, tokens];
  const ids = new Int32Array(rows.length * tokens).fill(pad);
  const mask = new Float32Array(rows.length * tokens);
  rows.forEach((row, i) => {
    ids.set(row.ids, i * tokens);
    mask.fill(1, i * tokens, i * tokens + row.ids.length);
  });
  return { ids: { dtype: "int32", shape, data: ids }, mask: { dtype: "float32", shape, data: mask } };
}

/** Number of tokens of the longest row; 0 without rows. */
export function longestRow(rows: readonly Row[]): number {
  return rows.reduce((most, { ids }) => Math.max(most, ids.length), 0);
}

/**
 * Groups rows of equal length, which need no padding, into runs of at most `rowsPerRun` rows. Short
 * rows come first, because long ones have programs of their own.
 *
 * @returns indices of the rows of each run
 */
export function runsOfEqualLength(rows: readonly Row[], demand: Demand): readonly (readonly number[])[] {
  const groups = new Map<number, number[]>();
  rows.forEach(({ ids }, i) => {
    const group = groups.get(ids.length);
    if (group === undefined) groups.set(ids.length, [i]);
    else group.push(i);
  });
  return [...groups]
    .toSorted(([a], [b]) => a - b)
    .flatMap(([tokens, members]) => chunks(members, rowsPerRun(demand, tokens)));
}

/** Splits a list into consecutive chunks of one size; the last may be shorter. */
export function chunks<T>(list: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) =>
    list.slice(i * size, (i + 1) * size),
  );
}

/**
 * Id of the mask token.
 * @throws {InputError} when the tokenizer has none
 */
export function maskId({ name, special }: Pick<Tokenizer, "name" | "special">): number {
  if (special.mask !== undefined) return special.mask;
  throw new InputError(
    `the tokenizer ${name} has no mask token, which scoring with a masked model requires`,
    {
      hint: "its files must define mask_token",
    },
  );
}
