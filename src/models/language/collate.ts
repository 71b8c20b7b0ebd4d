import { InputError } from "../../base/errors.ts";
import type { Tokenizer } from "../../dna/tokenizers/tokenizer.ts";
import type { NdArray } from "../../net/arrays/array.ts";
import type { Architecture } from "./architecture.ts";

/** Rows of tokens as one rectangle. */
export interface Batch {
  /** int32 [b, t] */
  readonly ids: NdArray;
  /** float32 [b, t]: 1 for a token, 0 for padding */
  readonly mask: NdArray;
}

/** A row of tokens, seen as a number of ids. */
export interface Row {
  readonly ids: Int32Array;
}

type Demand = Pick<Architecture, "liveValuesPerToken" | "liveValuesPerPair" | "mostRowsPerRun">;

/** Float32 values that the rows of one run may have alive at once: beyond it nothing gets faster, only larger. */
const LIVE_VALUES = 2 ** 26;

/** Float32 values alive at once while a row of so many tokens is computed. */
export function liveValuesPerRow(
  { liveValuesPerToken, liveValuesPerPair = 0 }: Demand,
  tokens: number,
): number {
  return tokens * (liveValuesPerToken + tokens * liveValuesPerPair);
}

/** Rows of so many tokens that are run together; at least one. */
export function rowsPerRun(demand: Demand, tokens: number): number {
  const fitting = Math.floor(LIVE_VALUES / liveValuesPerRow(demand, Math.max(1, tokens)));
  return Math.max(1, Math.min(fitting, demand.mostRowsPerRun ?? fitting));
}

/** Rows padded on the right to the longest, or to more tokens; no padding where all are equally long. */
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

/** Tokens of the longest row; 0 where there is none. */
export function longestRow(rows: readonly Row[]): number {
  return rows.reduce((most, { ids }) => Math.max(most, ids.length), 0);
}

/**
 * Numbers of rows in groups to be run together: rows of one length each, so that nothing is padded, and no more of them
 * than fit into one run. Lengths in order of first appearance.
 */
export function runsOfEqualLength(rows: readonly Row[], demand: Demand): readonly (readonly number[])[] {
  const groups = new Map<number, number[]>();
  rows.forEach(({ ids }, i) => {
    const group = groups.get(ids.length);
    if (group === undefined) groups.set(ids.length, [i]);
    else group.push(i);
  });
  return [...groups].flatMap(([tokens, members]) => pieces(members, rowsPerRun(demand, tokens)));
}

/** Consecutive pieces of a list, all but the last of the same size. */
export function pieces<T>(list: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) =>
    list.slice(i * size, (i + 1) * size),
  );
}

/** @throws {InputError} when the tokenizer has no token to hide others behind */
export function maskId({ name, special }: Pick<Tokenizer, "name" | "special">): number {
  if (special.mask !== undefined) return special.mask;
  throw new InputError(`the tokenizer ${name} has no mask token, which a masked model is asked with`, {
    hint: "its files must name one as mask_token",
  });
}
