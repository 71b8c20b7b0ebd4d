import { expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { scoredSpan } from "../../../src/dna/tokenizers/base-map.ts";
import { kMerTokenizer, nucleotideTransformerVocabulary } from "../../../src/dna/tokenizers/k-mer.ts";
import { hyenadnaTokenizer } from "../../../src/dna/tokenizers/one-letter.ts";

const nt = kMerTokenizer("nt", nucleotideTransformerVocabulary(2));
const hyenadna = hyenadnaTokenizer();
const bytePair = { name: "byte-pair", before: [1], after: [2] };

test("byte pairs: between [CLS] and [SEP]", () => {
  expect(scoredSpan(bytePair, [1, 9, 12, 7, 2])).toEqual({ start: 1, end: 4 });
  expect(scoredSpan(bytePair, Int32Array.of(1, 9, 12, 7, 2, 3, 3), 5)).toEqual({ start: 1, end: 4 });
  expect(scoredSpan(bytePair, [1, 2])).toEqual({ start: 1, end: 1 });
});

test("one letter: from 0 to [SEP]", () => {
  expect(scoredSpan(hyenadna, hyenadna.encode("ACGT").ids)).toEqual({ start: 0, end: 4 });
  expect(scoredSpan(hyenadna, [7, 8, 1, 4, 4])).toEqual({ start: 0, end: 2 });
});

test("k-mers: after <cls>, as far as tokens are attended", () => {
  const { ids } = nt.encode("ACGTACGT");
  expect(scoredSpan(nt, ids)).toEqual({ start: 1, end: 4 });
  expect(scoredSpan(nt, [...ids, 1, 1], 4)).toEqual({ start: 1, end: 4 });
});

test("an end that is missing or there twice is refused", () => {
  expect(() => scoredSpan(bytePair, [1, 9, 12])).toThrow("has the special id 2 0 times");
  expect(() => scoredSpan(bytePair, [1, 9, 2, 9, 2])).toThrow(InputError);
  expect(() => scoredSpan(nt, [9, 9])).toThrow(InputError);
});
