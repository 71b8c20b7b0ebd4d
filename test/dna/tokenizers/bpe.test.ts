import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { bpeTokenizer } from "../../../src/dna/tokenizers/bpe.ts";
import { openTokenizer } from "../../../src/dna/tokenizers/open-tokenizer.ts";
import type { Tokenizer } from "../../../src/dna/tokenizers/tokenizer.ts";
import { parseTokenizerJson } from "../../../src/dna/tokenizers/tokenizer-json.ts";
import { sharedData, testWithSharedData } from "../../shared-data.ts";
import { expectEncodings, goldensOf, lettersOf, parityOf, read, type Written } from "./encodings.ts";

const GOLDENS = "tokenizers/encodings.golden.json";
const PARITY = "tokenizers/upstream-parity.json";
const MODELS = ["dnabert2", "gena_t2t_1000h_multi_32k"];

const base = fc.constantFrom("A", "C", "G", "T");
const dna = (maxLength: number) => fc.string({ unit: base, maxLength });
const oddText = fc
  .array(
    fc.constantFrom(
      "A",
      "C",
      "G",
      "T",
      "ACGT",
      "N",
      "NNNN",
      "N".repeat(10),
      "a",
      "R",
      " ",
      "\t",
      "-",
      ".",
      "_",
      "[MASK]",
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(""));

const open = new Map<string, Promise<Tokenizer>>();
function opened(file: string): Promise<Tokenizer> {
  const tokenizer = open.get(file) ?? openTokenizer(dirname(file));
  open.set(file, tokenizer);
  return tokenizer;
}

describe.each(MODELS)("%s", (model) => {
  const json = `tokenizers/${model}/tokenizer.json`;

  testWithSharedData("ids and spans equal the reference", json, async (file) => {
    const tokenizer = await opened(file);
    expect(expectEncodings(tokenizer, goldensOf(sharedData(GOLDENS)!, model))).toBe(218);
    expect(expectEncodings(tokenizer, parityOf(sharedData(PARITY)!, model))).toBe(7);
    expect(tokenizer.special).toEqual({ unk: 0, cls: 1, sep: 2, pad: 3, mask: 4 });
    expect([tokenizer.before, tokenizer.after]).toEqual([[1], [2]]);
  });

  testWithSharedData("ids equal the library on random texts", json, async (file) => {
    const tokenizer = await opened(file);
    const library = new LibraryTokenizer(JSON.parse(readFileSync(file, "utf8")), {});
    let compared = 0;
    const agree = (text: string) => {
      compared++;
      expect([...tokenizer.encode(text).ids]).toEqual(library.encode(text).ids);
    };
    fc.assert(fc.property(dna(400), agree), { numRuns: 2000 });
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom("A", "T", "A"), maxLength: 300 }), agree), {
      numRuns: 300,
    });
    fc.assert(fc.property(oddText, agree), { numRuns: 1500 });
    expect(compared).toBeGreaterThanOrEqual(3800);
  });

  testWithSharedData("spans are contiguous and match the text of their tokens", json, async (file) => {
    const tokenizer = await opened(file);
    fc.assert(
      fc.property(dna(1000), (text) => {
        const { ids } = tokenizer.encode(text);
        const letters = lettersOf(tokenizer, text);
        expect(letters.join("")).toBe(text);
        expect(letters).toEqual([...ids.subarray(1, -1)].map((id) => tokenizer.token(id)));
      }),
      { numRuns: 200 },
    );
  });

  testWithSharedData("encoding is independent of earlier calls", json, async (file) => {
    const texts = ["ACGTNACGT", "", "A".repeat(5000), "GATTACA", "ACGTNNNNNNNNNNNNACGT", "TTGACA"];
    const [used, fresh] = [await opened(file), await openTokenizer(dirname(file))];
    const forwards = texts.map((text) => used.encode(text));
    const backwards = texts.toReversed().map((text) => fresh.encode(text));
    expect(backwards.toReversed()).toEqual(forwards);
  });

  testWithSharedData("refuses a character outside ASCII", json, async (file) => {
    const tokenizer = await opened(file);
    expect(() => tokenizer.encode("ACGΤACGT")).toThrow(InputError);
    expect(() => tokenizer.encode("ACGΤACGT")).toThrow('"Τ" at position 3');
  });
});

// scripts/golden/token_ids.py (tokenizers 0.22.2) wrote test/golden/tokenizers/byte-pair-rules.json
describe("each rule of tokenizer.json gives the reference ids and spans", () => {
  interface Case {
    readonly name: string;
    readonly tokenizer: object;
    readonly encodings: readonly Written[];
  }
  const file = new URL("../../golden/tokenizers/byte-pair-rules.json", import.meta.url);
  const cases = JSON.parse(readFileSync(file, "utf8")) as readonly Case[];

  test.each(cases)("$name", ({ name, tokenizer, encodings }) => {
    const ours = bpeTokenizer(name, parseTokenizerJson(JSON.stringify(tokenizer), "tokenizer.json"), {});
    expect(expectEncodings(ours, encodings.map(read))).toBe(60);
  });

  test("covers every rule", () => expect(cases).toHaveLength(14));
});

/** Iterative merging by definition: the earliest merge, the leftmost on ties, until none applies. */
function mergePairs(text: string, merges: readonly (readonly [string, string])[]): string[] {
  const rank = new Map(merges.map(([left, right], i) => [`${left} ${right}`, i]));
  const tokens = [...text];
  while (true) {
    let best = -1;
    let bestRank = Number.POSITIVE_INFINITY;
    for (let i = 0; i + 1 < tokens.length; i++) {
      const found = rank.get(`${tokens[i]} ${tokens[i + 1]}`) ?? Number.POSITIVE_INFINITY;
      if (found < bestRank) [best, bestRank] = [i, found];
    }
    if (best < 0) return tokens;
    tokens.splice(best, 2, tokens[best] + tokens[best + 1]);
  }
}

/**
 * Lists of merges of existing tokens. A token may result from two merges, and the list may be out of order.
 */
const mergeLists = fc
  .record({
    pairs: fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 25 }),
    shuffled: fc.option(fc.infiniteStream(fc.nat()), { nil: undefined, freq: 3 }),
  })
  .map(({ pairs, shuffled }) => {
    const tokens = ["A", "C", "G", "T"];
    const merges: [string, string][] = [];
    for (const [a, b] of pairs) {
      const [left, right] = [tokens[a % tokens.length], tokens[b % tokens.length]];
      if (left.length + right.length > 12 || merges.some(([l, r]) => l === left && r === right)) continue;
      merges.push([left, right]);
      if (!tokens.includes(left + right)) tokens.push(left + right);
    }
    if (shuffled !== undefined) {
      const keys = new Map(merges.map((merge) => [merge, shuffled.next().value as number]));
      merges.sort((a, b) => keys.get(a)! - keys.get(b)!);
    }
    return { tokens, merges };
  });

test("equals iterative merging for any list of merges", () => {
  fc.assert(
    fc.property(
      mergeLists,
      fc.array(dna(80), { minLength: 1, maxLength: 10 }),
      ({ tokens, merges }, texts) => {
        const vocabulary = new Map(tokens.map((token, id) => [token, id]));
        const tokenizer = bpeTokenizer(
          "random",
          {
            vocabulary,
            merges,
            unknown: undefined,
            literals: [],
            normalizing: [],
            splitting: [],
            before: [],
            after: [],
          },
          {},
        );
        for (const text of texts) expect(lettersOf(tokenizer, text)).toEqual(mergePairs(text, merges));
      },
    ),
    { numRuns: 1500 },
  );
});

test("refuses a character without a token if there is no unknown token", () => {
  const description = {
    vocabulary: new Map([..."ACGT"].map((letter, id) => [letter, id])),
    merges: [],
    unknown: undefined,
    literals: [],
    normalizing: [],
    splitting: [],
    before: [],
    after: [],
  };
  expect(() => bpeTokenizer("bare", description, {}).encode("ACN")).toThrow(
    'bare has no token for "N" at position 2, and no unknown token',
  );
});
