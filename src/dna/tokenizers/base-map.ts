import { InputError } from "../../base/errors.ts";
import type { Tokenizer, Tokens } from "./tokenizer.ts";

/**
 * Which token states stand for the bases of a sequence, in order: one index for each base, or tokens [start, end) where
 * every base has a token of its own.
 */
export type TokenIndex =
  | { readonly kind: "gather"; readonly tokens: Int32Array }
  | { readonly kind: "slice"; readonly start: number; readonly end: number };

/**
 * The token of every base, special tokens counted: entry p is the token whose span has base p. A token of several bases
 * is repeated over them. A base that no token covers keeps 0.
 *
 * @param bases  length of the map, mostly that of the sequence. What lies beyond is left out, as where DART-Eval made the
 *               map of a variant's window as long as its row of tokens (quirk Q4).
 */
export function baseMap(tokens: Pick<Tokens, "starts" | "ends">, bases: number): Int32Array {
  const map = new Int32Array(bases);
  for (let token = 0; token < tokens.starts.length; token++) {
    map.fill(token, tokens.starts[token], tokens.ends[token]);
  }
  return map;
}

/**
 * What a probe of one sequence reads.
 * @throws {InputError} when a one-letter tokenizer's tokens are not one for each of so many bases
 */
export function tokenIndex(
  { name, kind, before, after }: Pick<Tokenizer, "name" | "kind" | "before" | "after">,
  tokens: Tokens,
  bases: number,
): TokenIndex {
  if (kind !== "one-letter") return { kind: "gather", tokens: baseMap(tokens, bases) };
  const letters = tokens.ids.length - before.length - after.length;
  if (letters !== bases) throw new InputError(`${name} has ${letters} tokens for ${bases} bases`);
  return { kind: "slice", start: before.length, end: before.length + bases };
}

/** The numbers that DART-Eval keeps beside its embeddings: a map as it is, a slice as the pair [start, end]. */
export function storedIndex(index: TokenIndex): Int32Array {
  return index.kind === "gather" ? index.tokens : Int32Array.of(index.start, index.end);
}

/**
 * Stored numbers taken for a map whatever they are. For a one-letter tokenizer's pair [0, L] that reads two tokens, the
 * first base and [SEP]: what DART-Eval's probes of Caduceus saw (quirk Q1), and the ends of the range that it averaged
 * for Caduceus and HyenaDNA (quirk Q6).
 */
export function readAsMap(stored: Int32Array): TokenIndex {
  return { kind: "gather", tokens: stored };
}

/** Tokens [start, end) from the first to the last that is read: what a mean over a sequence covers. Of nothing, 0, 0. */
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

/** Tokens [start, end) of a row. */
export interface TokenSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * The tokens whose likelihood counts: those between the special tokens that the tokenizer adds. Special tokens and
 * the padding on the right are outside.
 *
 * DART-Eval finds them in the ids: after [CLS] up to [SEP] (DNABERT-2, GENA-LM, Mistral-DNA), from 0 up to [SEP]
 * (Caduceus, HyenaDNA), after `<cls>` up to the number of attended tokens (Nucleotide Transformer).
 *
 * @param ids       one row of a batch, padded on the right or not at all
 * @param attended  how many tokens of the row are not padding; only read where nothing marks the end
 * @throws {InputError} when a token that marks an end is not there exactly once
 */
export function scoredSpan(
  { name, before, after }: Pick<Tokenizer, "name" | "before" | "after">,
  ids: ArrayLike<number>,
  attended: number = ids.length,
): TokenSpan {
  const first = before.at(-1);
  const last = after[0];
  return {
    start: first === undefined ? 0 : placeOf(first, ids, name) + 1,
    end: last === undefined ? attended : placeOf(last, ids, name),
  };
}

function placeOf(id: number, ids: ArrayLike<number>, name: string): number {
  let place = -1;
  let count = 0;
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] !== id) continue;
    place = i;
    count++;
  }
  if (count === 1) return place;
  throw new InputError(`a row of ${name} tokens has the special id ${id} ${count} times; once was expected`);
}
