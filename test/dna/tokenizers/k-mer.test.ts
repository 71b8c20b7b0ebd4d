import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sha256Hex } from "../../../src/base/digest.ts";
import { FormatError } from "../../../src/base/errors.ts";
import { kMerTokenizer, nucleotideTransformerVocabulary } from "../../../src/dna/tokenizers/k-mer.ts";
import { testWithSharedData } from "../../shared-data.ts";
import { expectEncodings, goldensOf, lettersOf, read, type Written } from "./encodings.ts";

const v2 = kMerTokenizer("v2", nucleotideTransformerVocabulary(2));
const v1 = kMerTokenizer("v1", nucleotideTransformerVocabulary(1));

test("the generated vocabulary equals the published digest", () => {
  const text = nucleotideTransformerVocabulary(2).join("\n");
  // SHA-256 of vocab.txt of nucleotide-transformer-v2-{50m,250m}-multi-species.
  expect(sha256Hex(text)).toBe("c00e0ad166d6ab3f7540ebc92270392e581bb3106763412f29034b49323e1052");
});

testWithSharedData("the generated vocabulary equals the file", "tokenizers/nt_v2/vocab.txt", (file) => {
  expect(nucleotideTransformerVocabulary(2).join("\n")).toBe(readFileSync(file, "utf8"));
});

testWithSharedData(
  "DNABERT orders its k-mers in the same way",
  "tokenizers/dnabert_6mer/vocab.txt",
  (file) => {
    const kmers = readFileSync(file, "utf8").trim().split("\n").slice(5);
    expect(kmers).toEqual(nucleotideTransformerVocabulary(2).slice(6, -5));
  },
);

testWithSharedData("ids and spans equal the reference", "tokenizers/encodings.golden.json", (file) => {
  expect(expectEncodings(v2, goldensOf(file, "nt_v2"))).toBe(211);
});

// scripts/golden/token_ids.py (transformers 4.57.1, EsmTokenizer) wrote test/golden/tokenizers/k-mers.json
describe("ids equal EsmTokenizer on unusual texts", () => {
  interface Case {
    readonly version: 1 | 2;
    readonly k: number;
    readonly encodings: readonly Written[];
  }
  const file = new URL("../../golden/tokenizers/k-mers.json", import.meta.url);
  const cases = JSON.parse(readFileSync(file, "utf8")) as readonly Case[];

  test.each(cases)("version $version, k $k", ({ version, k, encodings }) => {
    const tokenizer = kMerTokenizer("nt", nucleotideTransformerVocabulary(version, k));
    expect(expectEncodings(tokenizer, encodings.map(read))).toBe(150);
  });
});

test("published examples", () => {
  const ids = (text: string) => [...v2.encode(text).ids];
  expect(ids("ATTCCGATTCCGATTCCG")).toEqual([3, 369, 369, 369]);
  expect(ids("ATTTCTCTCTCTCTCTGAGATCGATCGATCGAT")).toEqual([
    3, 351, 2463, 2466, 3186, 1740, 4105, 4102, 4103,
  ]);
  expect(ids("ACGTGTACNTGCACGGANCGACTAGTCTGA")).toEqual([
    3, 739, 4102, 4104, 4106, 1937, 4105, 4102, 4106, 2858, 3490,
  ]);
  expect(ids("ACGTRYACGTAC")).toEqual([3, 4102, 4104, 4105, 4103, 0, 728]);
});

test("token counts are 1 + ⌊L / 6⌋ + L mod 6", () => {
  for (const [bases, tokens] of [
    [0, 1],
    [5, 6],
    [6, 2],
    [350, 61],
    [500, 86],
    [2114, 355],
  ] as const) {
    expect(v2.encode("G".repeat(bases)).ids).toHaveLength(tokens);
  }
});

test("version 1 has two ids fewer: its last two lines have no embedding row", () => {
  expect([v1.vocabularySize, v2.vocabularySize]).toEqual([4105, 4107]);
  expect([...v1.encode("AAAAAAN").ids]).toEqual([3, 4, 4104]);
  expect([...v1.encode("<eos>").ids]).toEqual([3, 0]);
  expect([...v2.encode("<eos>").ids]).toEqual([3, 4]);
});

test("spans match the text of their tokens", () => {
  const text = fc.string({
    unit: fc.constantFrom("A", "C", "G", "T", "A", "C", "G", "T", "N", "r", "Y"),
    maxLength: 200,
  });
  fc.assert(
    fc.property(text, (letters) => {
      const { ids } = v2.encode(letters);
      const parts = lettersOf(v2, letters);
      expect(parts.join("")).toBe(letters);
      for (const [i, part] of parts.entries()) {
        expect(v2.token(ids[i + 1])).toBe(/^[ACGTN]+$/.test(part) ? part : "<unk>");
      }
    }),
  );
});

test("N is unknown without a token in the vocabulary", () => {
  const lines = nucleotideTransformerVocabulary(2, 2).filter((token) => token !== "N");
  expect([...kMerTokenizer("no N", lines).encode("ACNN").ids].at(-1)).toBe(0);
});

describe("refuses invalid vocabularies", () => {
  const lines = nucleotideTransformerVocabulary(2, 2);
  test.each([
    [["[PAD]", "AA"], 'vocab.txt:1: "[PAD]" is not a k-mer of A, C, G and T'],
    [[...lines, "AA"], '"AA" is listed twice'],
    [[...lines, "AAA"], '"AAA" does not have 2 bases like the k-mers before it'],
    [[...lines, "AX"], 'vocab.txt:28: "AX" is not a k-mer of A, C, G and T'],
    [lines.filter((token) => token !== "GT"), "the vocabulary has 15 k-mers of 2 bases; expected 16"],
    [lines.filter((token) => token !== "<mask>"), "the vocabulary has no <mask>"],
    [lines.filter((token) => token !== "T"), "the vocabulary has no T"],
    [[], "the vocabulary has 0 k-mers"],
  ])("%#", (vocabulary, message) => {
    const open = () => kMerTokenizer("bad", vocabulary);
    expect(open).toThrow(FormatError);
    try {
      open();
    } catch (error) {
      expect((error as FormatError).describe()).toContain(message);
    }
  });
});
