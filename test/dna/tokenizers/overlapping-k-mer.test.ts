import { expect, test } from "vitest";
import { baseMap } from "../../../src/dna/tokenizers/base-map.ts";
import {
  overlappingKMerTokenizer,
  overlappingKMerVocabulary,
} from "../../../src/dna/tokenizers/overlapping-k-mer.ts";

const tokenizer = overlappingKMerTokenizer("three", overlappingKMerVocabulary(3));
const texts = (sequence: string) => [...tokenizer.encode(sequence).ids].map((id) => tokenizer.token(id));

test("the vocabulary of DNABERT's 6-mers has the published order and size", () => {
  const lines = overlappingKMerVocabulary(6);
  expect(lines.length).toBe(4101);
  expect(lines.slice(0, 9)).toEqual([
    ...["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
    ...["AAAAAA", "AAAAAT", "AAAAAC", "AAAAAG"],
  ]);
});

test("a k-mer at every position, between [CLS] and [SEP]", () => {
  expect(texts("ACGTT")).toEqual(["[CLS]", "ACG", "CGT", "GTT", "[SEP]"]);
  expect(texts("acgtt")).toEqual(texts("ACGTT"));
  expect(texts("ACNTTG")).toEqual(["[CLS]", "[UNK]", "[UNK]", "[UNK]", "TTG", "[SEP]"]);
  expect(texts("AC")).toEqual(["[CLS]", "[UNK]", "[SEP]"]);
  expect(texts("")).toEqual(["[CLS]", "[SEP]"]);
});

test.each([1, 2, 3, 4, 9])("each of %d bases belongs to one token that contains it", (length) => {
  const sequence = "ACGTTGCAA".slice(0, length);
  const tokens = tokenizer.encode(sequence);
  const kmer = [...baseMap(tokens, length)].map((token) => token - 1);
  kmer.forEach((first, base) => {
    expect(first).toBeGreaterThanOrEqual(0);
    expect(base - first).toBeGreaterThanOrEqual(0);
    expect(base - first).toBeLessThan(3);
  });
  expect(tokens.starts.slice(1, -1).every((start, i) => start === (i === 0 ? 0 : tokens.ends[i]))).toBe(true);
  if (length === 9) expect(kmer).toEqual([0, 0, 1, 2, 3, 4, 5, 6, 6]);
});

test("a base belongs to the k-mer whose middle it is, the left one of the two middles of an even k", () => {
  const four = overlappingKMerTokenizer("four", overlappingKMerVocabulary(4));
  const kmer = [...baseMap(four.encode("ACGTTGCAA"), 9)].map((token) => token - 1);
  expect(kmer).toEqual([0, 0, 1, 2, 3, 4, 5, 5, 5]);
});

test("k-mers with a base at an offset", () => {
  const ids = tokenizer.overlap!.kmersWith("G".charCodeAt(0), 1);
  expect(ids.length).toBe(16);
  expect([...ids].every((id) => tokenizer.token(id)?.[1] === "G")).toBe(true);
});

test.each([
  [["[PAD]", "[UNK]", "[CLS]", "[SEP]", "AA"], "the vocabulary has no [MASK]"],
  [[...overlappingKMerVocabulary(2).slice(0, -1)], "has 15 k-mers of 2 bases; expected 16"],
  [[...overlappingKMerVocabulary(2), "AAA"], '"AAA" does not have 2 bases'],
  [[...overlappingKMerVocabulary(2), "AA"], '"AA" is listed twice'],
  [[...overlappingKMerVocabulary(2), "##A"], '"##A" is not a k-mer of A, C, G and T'],
])("an invalid vocabulary is an error %#", (lines, message) => {
  expect(() => overlappingKMerTokenizer("bad", lines)).toThrow(message);
});
