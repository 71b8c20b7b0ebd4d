import { dirname } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import {
  baseMap,
  readAsMap,
  storedIndex,
  tokenIndex,
  tokenRange,
} from "../../../src/dna/tokenizers/base-map.ts";
import { kMerTokenizer, nucleotideTransformerVocabulary } from "../../../src/dna/tokenizers/k-mer.ts";
import { caduceusTokenizer } from "../../../src/dna/tokenizers/one-letter.ts";
import { openTokenizer } from "../../../src/dna/tokenizers/open-tokenizer.ts";
import { testWithSharedData } from "../../shared-data.ts";

const nt = kMerTokenizer("nt", nucleotideTransformerVocabulary(2));
const caduceus = caduceusTokenizer();

/** The map of 6-mers after one special token in closed form: base p of the first 6·⌊L/6⌋ has token 1 + ⌊p/6⌋, the others one each. */
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

  test("the map of 355 bases ends with a base of its own", () => {
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

test("a map shorter than the sequence leaves the rest out, a longer one keeps 0", () => {
  const tokens = nt.encode("ACGTACGTACGTA"); // two 6-mers, one letter
  expect([...baseMap(tokens, 8)]).toEqual([1, 1, 1, 1, 1, 1, 2, 2]);
  expect([...baseMap(tokens, 15)]).toEqual([1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 0, 0]);
  expect([...baseMap(nt.encode(""), 0)]).toEqual([]);
});

test("a dropped letter keeps 0", () => {
  expect([...baseMap(nt.encode("A C"), 3)]).toEqual([1, 0, 2]);
});

testWithSharedData("DNABERT-2's example", "tokenizers/dnabert2/tokenizer.json", async (file) => {
  const tokens = (await openTokenizer(dirname(file))).encode("ATTGTGGGTCCCCC");
  expect([...baseMap(tokens, 14)]).toEqual([1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4]);
});

describe("one letter, one token", () => {
  const index = tokenIndex(caduceus, caduceus.encode("ACGT"), 4);

  test("bases are tokens 0 to L, [SEP] is outside", () => {
    expect(index).toEqual({ kind: "slice", start: 0, end: 4 });
    expect(tokenRange(index)).toEqual({ start: 0, end: 4 });
  });

  test("the stored pair read as a map is the first base and [SEP]", () => {
    expect(storedIndex(index)).toEqual(Int32Array.of(0, 4));
    expect(readAsMap(storedIndex(index))).toEqual({ kind: "gather", tokens: Int32Array.of(0, 4) });
    expect(tokenRange(readAsMap(storedIndex(index)))).toEqual({ start: 0, end: 5 });
  });

  test("another number of bases is refused", () => {
    expect(() => tokenIndex(caduceus, caduceus.encode("ACGT"), 5)).toThrow(InputError);
  });
});

test("what is averaged of a k-mer or byte-pair model has no special token", () => {
  const index = tokenIndex(nt, nt.encode("ACGTACGT"), 8);
  expect(index).toEqual({ kind: "gather", tokens: kMerBaseMap(8) });
  expect(storedIndex(index)).toEqual(kMerBaseMap(8));
  expect(tokenRange(index)).toEqual({ start: 1, end: 4 });
  expect(tokenRange(tokenIndex(nt, nt.encode(""), 0))).toEqual({ start: 0, end: 0 });
});
