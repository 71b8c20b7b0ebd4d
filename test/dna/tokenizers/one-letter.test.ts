import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import {
  caduceusTokenizer,
  evoTokenizer,
  hyenadnaTokenizer,
} from "../../../src/dna/tokenizers/one-letter.ts";
import { testWithSharedData } from "../../shared-data.ts";
import { expectEncodings, goldensOf, lettersOf, spansOf } from "./encodings.ts";

const tokenizers = [caduceusTokenizer(), hyenadnaTokenizer()];

describe.each(tokenizers.map((tokenizer) => [tokenizer.name, tokenizer] as const))("%s", (_, tokenizer) => {
  testWithSharedData("ids equal the reference", "tokenizers/encodings.golden.json", (file) => {
    expect(expectEncodings(tokenizer, goldensOf(file, "character"))).toBe(12);
    const { sequences } = JSON.parse(readFileSync(file, "utf8")) as { readonly sequences: readonly string[] };
    const ids: Readonly<Record<string, number>> = { A: 7, C: 8, G: 9, T: 10 };
    for (const text of sequences) {
      expect([...tokenizer.encode(text).ids]).toEqual([...[...text].map((letter) => ids[letter]), 1]);
    }
    expect(sequences).toHaveLength(200);
  });

  test("350 bases are 351 tokens, the last one [SEP]", () => {
    const { ids, starts, ends } = tokenizer.encode("ACGTNACGTN".repeat(35));
    expect([ids.length, ids.at(-1), starts.at(-1), ends.at(-1)]).toEqual([351, 1, 0, 0]);
    expect(ids.subarray(0, 5)).toEqual(Int32Array.of(7, 8, 9, 10, 11));
  });

  test("spans are single characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary-ascii", maxLength: 50 }), (text) => {
        expect(lettersOf(tokenizer, text)).toEqual([...text]);
      }),
    );
    expect(spansOf(tokenizer.encode("AC"))).toEqual([
      [0, 1],
      [1, 2],
      [0, 0],
    ]);
  });

  test("the empty sequence is [SEP]", () => expect([...tokenizer.encode("").ids]).toEqual([1]));

  test("special tokens in the text are read as characters", () => {
    expect([...tokenizer.encode("[MASK]A").ids].slice(0, 1)).toEqual([6]);
    expect(tokenizer.encode("[MASK]A").ids).toHaveLength(8);
  });

  test("ids have names", () => {
    expect([0, 1, 4, 6, 7, 11, 12].map((id) => tokenizer.token(id))).toEqual([
      "[CLS]",
      "[SEP]",
      "[PAD]",
      "[UNK]",
      "A",
      "N",
      undefined,
    ]);
    expect(tokenizer.special).toEqual({ pad: 4, mask: 3, cls: 0, sep: 1, unk: 6, bos: 2, eos: 1 });
    expect(tokenizer.vocabularySize).toBe(12);
  });

  test("refuses a character outside ASCII", () => expect(() => tokenizer.encode("ACß")).toThrow(InputError));
});

test("only Caduceus accepts lower case", () => {
  expect([...caduceusTokenizer().encode("acgtnr").ids]).toEqual([7, 8, 9, 10, 11, 6, 1]);
  expect([...hyenadnaTokenizer().encode("acgtnr").ids]).toEqual([6, 6, 6, 6, 6, 6, 1]);
});

describe("Evo", () => {
  const tokenizer = evoTokenizer({ start: true });

  test("ids are ASCII codes after the end-of-document token", () => {
    const { ids, starts, ends } = tokenizer.encode("ACGTNacgt");
    expect([...ids]).toEqual([0, 65, 67, 71, 84, 78, 97, 99, 103, 116]);
    expect([starts[0], ends[0], starts[9], ends[9]]).toEqual([0, 0, 8, 9]);
  });

  test("ids have names", () => {
    expect([0, 1, 65, 84, 128].map((id) => tokenizer.token(id))).toEqual([
      "[EOD]",
      "[PAD]",
      "A",
      "T",
      undefined,
    ]);
    expect(tokenizer.special).toEqual({ pad: 1, bos: 0, eos: 0 });
  });

  test("the second generation has no token before a sequence", () => {
    expect([...evoTokenizer({ start: false }).encode("AT").ids]).toEqual([65, 84]);
  });

  test("characters outside ASCII are refused", () => {
    expect(() => tokenizer.encode("ACé")).toThrow(InputError);
  });
});
