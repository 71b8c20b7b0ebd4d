import type { Tokens } from "../../dna/tokenizers/tokenizer.ts";
import type { NdArray } from "../../net/arrays/array.ts";

/** Rows of tokens as one rectangle. */
export interface Batch {
  /** int32 [b, t] */
  readonly ids: NdArray;
  /** float32 [b, t]: 1 for a token, 0 for padding */
  readonly mask: NdArray;
}

/** Rows padded on the right to the longest; no padding where all are equally long. */
export function collate(rows: readonly Tokens[], pad = 0): Batch {
  const tokens = rows.reduce((most, { ids }) => Math.max(most, ids.length), 0);
  const shape = [rows.length, tokens];
  const ids = new Int32Array(rows.length * tokens).fill(pad);
  const mask = new Float32Array(rows.length * tokens);
  rows.forEach((row, i) => {
    ids.set(row.ids, i * tokens);
    mask.fill(1, i * tokens, i * tokens + row.ids.length);
  });
  return { ids: { dtype: "int32", shape, data: ids }, mask: { dtype: "float32", shape, data: mask } };
}

/** Numbers of rows, grouped by the number of tokens; groups in order of first appearance. */
export function groupByLength(rows: readonly Tokens[]): ReadonlyMap<number, readonly number[]> {
  const groups = new Map<number, number[]>();
  rows.forEach(({ ids }, i) => {
    const group = groups.get(ids.length);
    if (group === undefined) groups.set(ids.length, [i]);
    else group.push(i);
  });
  return groups;
}
