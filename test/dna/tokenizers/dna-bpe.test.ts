import { expect, test } from "vitest";
import { DnaBpe } from "../../../src/dna/tokenizers/dna-bpe.ts";

const LETTERS = ["A", "C", "G", "T"];

function encoder(merges: readonly (readonly [string, string])[], letters = LETTERS): DnaBpe | undefined {
  const tokens = [...letters, ...merges.map(([left, right]) => left + right)];
  return DnaBpe.of(new Map([...new Set(tokens)].map((token, id) => [token, id + 100])), merges);
}

function encode(bpe: DnaBpe | undefined, text: string) {
  const count = bpe!.encode(text);
  return { ids: [...bpe!.ids.subarray(0, count)], ends: [...bpe!.ends.subarray(0, count)] };
}

test("the leftmost of equal pairs merges first", () => {
  expect(encode(encoder([["A", "A"]]), "AAAAA")).toEqual({ ids: [104, 104, 100], ends: [2, 4, 5] });
});

test("an earlier merge across a border beats a longer token", () => {
  // The longest token from the left is CA, but the merge of AT is earlier.
  const bpe = encoder([
    ["A", "T"],
    ["C", "A"],
  ]);
  expect(encode(bpe, "CAT").ids).toEqual([101, 104]);
});

test("never returns an unreachable token", () => {
  // AAA from A + AA is unreachable: AAA merges to AA + A first.
  const bpe = encoder([
    ["A", "A"],
    ["A", "AA"],
  ]);
  expect(encode(bpe, "AAA").ids).toEqual([104, 100]);
  expect(encode(bpe, "AAAAA").ids).toEqual([104, 104, 100]);
});

test("encodes the empty text", () => {
  expect(encode(encoder([["A", "A"]]), "")).toEqual({ ids: [], ends: [] });
});

test("returns -1 for other characters", () => {
  for (const text of ["ACN", "acgt", "ACGÄ", "AC\u0100"]) expect(encoder([])!.encode(text)).toBe(-1);
});

test("grows its buffers for long words", () => {
  const bpe = encoder([["A", "A"]]);
  expect(bpe!.encode("A".repeat(100_001))).toBe(50_001);
  expect(encode(bpe, "AAC").ids).toEqual([104, 101]);
});

test("declines lists that need iterative merging", () => {
  const twice = [
    ["A", "A"],
    ["AA", "A"],
    ["A", "AA"],
  ] as const;
  const tooEarly = [
    ["AA", "C"],
    ["A", "A"],
  ] as const;
  expect(encoder(twice)).toBeUndefined();
  expect(encoder(tooEarly)).toBeUndefined();
  expect(encoder([], ["A", "C", "G"])).toBeUndefined();
});

test("ignores merges of other characters", () => {
  const bpe = encoder(
    [
      ["N", "N"],
      ["A", "A"],
    ],
    [...LETTERS, "N"],
  );
  expect(encode(bpe, "AA").ids).toEqual([106]);
});
