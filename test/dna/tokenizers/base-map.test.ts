import { dirname } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import {
  baseMap,
  readAsMap,
  scoredSpan,
  storedIndex,
  tokenIndex,
  tokenRange,
} from "../../../src/dna/tokenizers/base-map.ts";
import { kMerTokenizer, nucleotideTransformerVocabulary } from "../../../src/dna/tokenizers/k-mer.ts";
import { caduceusTokenizer, hyenadnaTokenizer } from "../../../src/dna/tokenizers/one-letter.ts";
import { openTokenizer } from "../../../src/dna/tokenizers/open-tokenizer.ts";
import { testWithSharedData } from "../../shared-data.ts";

const nt = kMerTokenizer("nt", nucleotideTransformerVocabulary(2));
const caduceus = caduceusTokenizer();

/**
 * Closed form of the map of 6-mers after one special token: token 1 + ⌊p/6⌋ for p < 6·⌊L/6⌋, then one token
 * per base.
 */
function kMerBaseMap(bases: number): Int32Array {
  const whole = Math.floor(bases / 6);
  return Int32Array.from(
    { length: bases },
    (_, p) => 1 + (p < whole * 6 ? Math.floor(p / 6) : whole + p - whole * 6),
  );
}

describe("Nucleotide Transformer", () => {
  const mapOf = (bases: number) => baseMap(nt.encode("A".repeat(bases)), bases);

  test("the map of 350, 500 and 2114 bases", () => {
    const map = mapOf(350);
    expect([map[0], map[5], map[6], map[342], map[347], map[348], map[349]]).toEqual([
      1, 1, 2, 58, 58, 59, 60,
    ]);
    expect([...mapOf(500).slice(-2)]).toEqual([84, 85]);
    expect([...mapOf(2114).slice(-2)]).toEqual([353, 354]);
  });

  test("the map of 355 bases ends with a single base", () => {
    const map = mapOf(355);
    expect([map[0], map[353], map[354]]).toEqual([1, 59, 60]);
  });

  test("spans give the same map", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("A", "C", "G", "T"), maxLength: 100 }), (text) => {
        expect(baseMap(nt.encode(text), text.length)).toEqual(kMerBaseMap(text.length));
      }),
    );
  });
});

test("a shorter map truncates the sequence, a longer one is 0 beyond it", () => {
  const tokens = nt.encode("ACGTACGTACGTA"); // two 6-mers, one letter
  expect([...baseMap(tokens, 8)]).toEqual([1, 1, 1, 1, 1, 1, 2, 2]);
  expect([...baseMap(tokens, 15)]).toEqual([1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 0, 0]);
  expect([...baseMap(nt.encode(""), 0)]).toEqual([]);
});

test("a dropped character maps to 0", () => {
  expect([...baseMap(nt.encode("A C"), 3)]).toEqual([1, 0, 2]);
});

testWithSharedData("DNABERT-2's example", "tokenizers/dnabert2/tokenizer.json", async (file) => {
  const tokens = (await openTokenizer(dirname(file))).encode("ATTGTGGGTCCCCC");
  expect([...baseMap(tokens, 14)]).toEqual([1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4]);
});

describe("one token per character", () => {
  const index = tokenIndex(caduceus, caduceus.encode("ACGT"), 4);

  test("bases are tokens 0 to L, without [SEP]", () => {
    expect(index).toEqual({ kind: "slice", start: 0, end: 4 });
    expect(tokenRange(index)).toEqual({ start: 0, end: 4 });
  });

  test("the stored pair read as a map is the first base and [SEP]", () => {
    expect(storedIndex(index)).toEqual(Int32Array.of(0, 4));
    expect(readAsMap(storedIndex(index))).toEqual({ kind: "gather", tokens: Int32Array.of(0, 4) });
    expect(tokenRange(readAsMap(storedIndex(index)))).toEqual({ start: 0, end: 5 });
  });

  test("refuses another number of bases", () => {
    expect(() => tokenIndex(caduceus, caduceus.encode("ACGT"), 5)).toThrow(InputError);
  });
});

test("the averaged range of k-mer and BPE tokenizers excludes special tokens", () => {
  const index = tokenIndex(nt, nt.encode("ACGTACGT"), 8);
  expect(index).toEqual({ kind: "gather", tokens: kMerBaseMap(8) });
  expect(storedIndex(index)).toEqual(kMerBaseMap(8));
  expect(tokenRange(index)).toEqual({ start: 1, end: 4 });
  expect(tokenRange(tokenIndex(nt, nt.encode(""), 0))).toEqual({ start: 0, end: 0 });
});

const hyenadna = hyenadnaTokenizer();
const bytePair = { name: "byte-pair", before: [1], after: [2] };

test("scored span of BPE: between [CLS] and [SEP]", () => {
  expect(scoredSpan(bytePair, [1, 9, 12, 7, 2])).toEqual({ start: 1, end: 4 });
  expect(scoredSpan(bytePair, Int32Array.of(1, 9, 12, 7, 2, 3, 3))).toEqual({ start: 1, end: 4 });
  expect(scoredSpan(bytePair, [1, 2])).toEqual({ start: 1, end: 1 });
});

test("scored span of characters: from 0 to [SEP]", () => {
  expect(scoredSpan(hyenadna, hyenadna.encode("ACGT").ids)).toEqual({ start: 0, end: 4 });
  expect(scoredSpan(hyenadna, [7, 8, 1, 4, 4])).toEqual({ start: 0, end: 2 });
});

test("scored span of k-mers: after <cls>, up to the end", () => {
  const { ids } = nt.encode("ACGTACGT");
  expect(scoredSpan(nt, ids)).toEqual({ start: 1, end: 4 });
});

test("scored span: refuses a missing or repeated end token", () => {
  expect(() => scoredSpan(bytePair, [1, 9, 12])).toThrow("has the special id 2 0 times");
  expect(() => scoredSpan(bytePair, [1, 9, 2, 9, 2])).toThrow(InputError);
  expect(() => scoredSpan(nt, [9, 9])).toThrow(InputError);
});
