import { InputError } from "../../base/errors.ts";
import type { Tokenizer, Tokens } from "./tokenizer.ts";

/**
 * Tokens of the bases of a sequence, in order: one token index per base, or tokens [start, end) for a
 * tokenizer with one token per base.
 */
export type TokenIndex =
  | { readonly kind: "gather"; readonly tokens: Int32Array }
  | { readonly kind: "slice"; readonly start: number; readonly end: number };

/**
 * Maps every base to its token: entry p is the index of the token whose span contains base p, special tokens
 * included. A token of several bases is repeated. A base without a token maps to 0.
 *
 * @param bases  length of the map, usually that of the sequence. Bases beyond it are dropped: DART-Eval makes
 *               the map of a variant's window as long as its token row (quirk Q4).
 */
export function baseMap(tokens: Pick<Tokens, "starts" | "ends">, bases: number): Int32Array {
  const map = new Int32Array(bases);
  for (let token = 0; token < tokens.starts.length; token++) {
    map.fill(token, tokens.starts[token], tokens.ends[token]);
  }
  return map;
}

/**
 * Tokens that a probe reads for one sequence.
 * @throws {InputError} when a one-letter tokenizer does not give one token per base
 */
export function tokenIndex(
  { name, kind, before, after }: Pick<Tokenizer, "name" | "kind" | "before" | "after">,
  tokens: Tokens,
  bases: number,
): TokenIndex {
  if (kind !== "one-letter") return { kind: "gather", tokens: baseMap(tokens, bases) };
  const count = tokens.ids.length - before.length - after.length;
  if (count !== bases) throw new InputError(`${name} has ${count} tokens for ${bases} bases`);
  return { kind: "slice", start: before.length, end: before.length + bases };
}

/**
 * Token index in the format of DART-Eval's embedding files: the map itself, or the pair [start, end] of a
 * slice.
 */
export function storedIndex(index: TokenIndex): Int32Array {
  return index.kind === "gather" ? index.tokens : Int32Array.of(index.start, index.end);
}

/**
 * Reads a stored index always as a map, as DART-Eval does. The pair [0, L] of a one-letter tokenizer then
 * selects two tokens, the first base and [SEP]: the input of DART-Eval's probes of Caduceus (quirk Q1) and
 * the ends of the range it averages for Caduceus and HyenaDNA (quirk Q6).
 */
export function readAsMap(stored: Int32Array): TokenIndex {
  return { kind: "gather", tokens: stored };
}

/**
 * Range of tokens from the first to the last one read, over which a sequence is averaged; empty for no bases.
 */
export function tokenRange(index: TokenIndex): { readonly start: number; readonly end: number } {
  if (index.kind === "slice") return { start: index.start, end: index.end };
  if (index.tokens.length === 0) return { start: 0, end: 0 };
  let first = index.tokens[0];
  let last = first;
  for (const token of index.tokens) {
    first = Math.min(first, token);
    last = Math.max(last, token);
  }
  return { start: first, end: last + 1 };
}

/** Tokens [start, end) of a token row. */
export interface TokenSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * Tokens that contribute to the likelihood: those between the special tokens, without padding.
 *
 * DART-Eval locates them by id: after [CLS] up to [SEP] (DNABERT-2, GENA-LM, Mistral-DNA), from 0 up to [SEP]
 * (Caduceus, HyenaDNA), after `<cls>` up to the number of attended tokens (Nucleotide Transformer).
 *
 * @param ids  one row, right-padded only where a special token marks the end
 * @throws {InputError} when a special token that marks an end does not occur exactly once
 */
export function scoredSpan(
  { name, before, after }: Pick<Tokenizer, "name" | "before" | "after">,
  ids: ArrayLike<number>,
): TokenSpan {
  const first = before.at(-1);
  const last = after[0];
  return {
    start: first === undefined ? 0 : indexOf(first, ids, name) + 1,
    end: last === undefined ? ids.length : indexOf(last, ids, name),
  };
}

/** Index of the only occurrence of a special token. */
function indexOf(id: number, ids: ArrayLike<number>, name: string): number {
  let index = -1;
  let count = 0;
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] !== id) continue;
    index = i;
    count++;
  }
  if (count === 1) return index;
  throw new InputError(`a row of ${name} tokens has the special id ${id} ${count} times; expected once`);
}
