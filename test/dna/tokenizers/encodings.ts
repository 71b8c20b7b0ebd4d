import { readFileSync } from "node:fs";
import { expect } from "vitest";
import type { Tokenizer, Tokens } from "../../../src/dna/tokenizers/tokenizer.ts";

/** A text with its reference ids, and spans if the reference has them. */
export interface Expected {
  readonly text: string;
  readonly ids: readonly number[];
  readonly offsets?: readonly (readonly number[])[];
}

interface Goldens {
  readonly sequences: readonly string[];
  readonly encodings: Readonly<
    Record<string, { readonly ids: readonly number[][]; readonly offsets?: readonly number[][][] }>
  >;
  readonly edge: Readonly<Record<string, Readonly<Record<string, Expected>>>>;
}

interface Parity {
  readonly vectors: Readonly<Record<string, readonly Expected[]>>;
}

/** The 200 sequences and the unusual texts of `encodings.golden.json` for one tokenizer. */
export function goldensOf(file: string, tokenizer: string): readonly Expected[] {
  const { sequences, encodings, edge } = JSON.parse(readFileSync(file, "utf8")) as Goldens;
  const { ids = [], offsets } = encodings[tokenizer] ?? {};
  const whole = ids.map((row, i): Expected => {
    const spans = offsets?.[i];
    return { text: sequences[i], ids: row, ...(spans === undefined ? {} : { offsets: spans }) };
  });
  return [...whole, ...Object.values(edge[tokenizer] ?? {})];
}

/** A text, its ids and its spans ("0-3 3-5"), as written by scripts/golden/token_ids.py. */
export type Written = readonly [text: string, ids: string, spans?: string];

export function read([text, ids, spans]: Written): Expected {
  const words = (joined: string) => joined.split(" ").filter((word) => word.length > 0);
  const expected = { text, ids: words(ids).map(Number) };
  return spans === undefined
    ? expected
    : { ...expected, offsets: words(spans).map((span) => span.split("-").map(Number)) };
}

/** The texts of `upstream-parity.json` for one tokenizer. */
export function parityOf(file: string, tokenizer: string): readonly Expected[] {
  return (JSON.parse(readFileSync(file, "utf8")) as Parity).vectors[tokenizer] ?? [];
}

/** @returns number of texts compared */
export function expectEncodings(tokenizer: Tokenizer, expected: readonly Expected[]): number {
  for (const { text, ids, offsets } of expected) {
    const tokens = tokenizer.encode(text);
    expect([...tokens.ids], text).toEqual(ids);
    if (offsets !== undefined) expect(spansOf(tokens), text).toEqual(offsets);
  }
  return expected.length;
}

export function spansOf({ starts, ends }: Tokens): number[][] {
  return [...starts].map((start, i) => [start, ends[i]]);
}

/** Text of each token without the added special tokens. */
export function lettersOf(tokenizer: Tokenizer, text: string): string[] {
  const inner = spansOf(tokenizer.encode(text)).slice(
    tokenizer.before.length,
    -tokenizer.after.length || undefined,
  );
  return inner.map(([start, end]) => text.slice(start, end));
}
