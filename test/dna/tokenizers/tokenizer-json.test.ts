import { describe, expect, test } from "vitest";
import { FormatError } from "../../../src/base/errors.ts";
import { parseTokenizerJson } from "../../../src/dna/tokenizers/tokenizer-json.ts";

const special = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
const model = {
  type: "BPE",
  dropout: null,
  unk_token: "[UNK]",
  fuse_unk: false,
  vocab: { "[UNK]": 0, A: 1, C: 2, G: 3, T: 4, AA: 5 },
  merges: ["A A"],
};
const whole = {
  version: "1.0",
  added_tokens: [{ id: 0, content: "[UNK]", ...special }],
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  model,
};

const parse = (value: unknown) => parseTokenizerJson(JSON.stringify(value), "m/tokenizer.json");

function refusal(source: string): string {
  try {
    parseTokenizerJson(source, "m/tokenizer.json");
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError);
    return (error as FormatError).describe();
  }
  throw new Error("nothing was refused");
}

test("parses a small file", () => {
  expect(parse(whole)).toEqual({
    vocabulary: new Map(Object.entries(model.vocab)),
    merges: [["A", "A"]],
    unknown: 0,
    literals: [{ text: "[UNK]", id: 0, takesBlanksLeft: false, takesBlanksRight: false }],
    normalizing: [],
    splitting: [],
    before: [],
    after: [],
  });
});

test("accepts merges as pairs (newer files)", () => {
  expect(parse({ ...whole, model: { ...model, merges: [["A", "A"]] } }).merges).toEqual([["A", "A"]]);
});

test("parses patterns of one repeated character", () => {
  const pattern = (Regex: string) => {
    const step = { type: "Replace", pattern: { Regex }, content: "" };
    return parse({ ...whole, normalizer: step }).normalizing[0];
  };
  const run = (letter: string, least: number, most: number) => ({
    kind: "replace",
    pattern: { letter, least, most },
    by: "",
  });
  expect(pattern("N")).toEqual(run("N", 1, 1));
  expect(pattern("N+")).toEqual(run("N", 1, Number.POSITIVE_INFINITY));
  expect(pattern("N{10,}")).toEqual(run("N", 10, Number.POSITIVE_INFINITY));
  expect(pattern("N{3}")).toEqual(run("N", 3, 3));
  expect(pattern("N{3,5}")).toEqual(run("N", 3, 5));
});

describe("refuses unsupported features by name", () => {
  const template = (single: object[], special_tokens = {}) => ({
    type: "TemplateProcessing",
    single,
    special_tokens,
  });
  const sequenceA = { Sequence: { id: "A", type_id: 0 } };
  test.each<[string, object]>([
    ['model "WordPiece" is not supported', { model: { ...model, type: "WordPiece", merges: undefined } }],
    ['model "Unigram"', { model: { type: "Unigram", vocab: [["A", 0]] } }],
    ['model.dropout "0.1" is not supported', { model: { ...model, dropout: 0.1 } }],
    ['model.fuse_unk "true"', { model: { ...model, fuse_unk: true } }],
    ['model.byte_fallback "true"', { model: { ...model, byte_fallback: true } }],
    ['model.ignore_merges "true"', { model: { ...model, ignore_merges: true } }],
    ['model.continuing_subword_prefix "##"', { model: { ...model, continuing_subword_prefix: "##" } }],
    ['model.end_of_word_suffix "</w>"', { model: { ...model, end_of_word_suffix: "</w>" } }],
    ['normalizer "StripAccents"', { normalizer: { type: "StripAccents" } }],
    [
      'normalizer "Nmt"',
      { normalizer: { type: "Sequence", normalizers: [{ type: "NFC" }, { type: "Nmt" }] } },
    ],
    [
      'normalizer "Replace by ACGT"',
      { normalizer: { type: "Replace", pattern: { String: "N" }, content: "ACGT" } },
    ],
    [
      'the pattern "[ACGT]" is not',
      { normalizer: { type: "Replace", pattern: { Regex: "[ACGT]" }, content: "" } },
    ],
    [
      'the pattern "(N+)+$" is not',
      { normalizer: { type: "Replace", pattern: { Regex: "(N+)+$" }, content: "" } },
    ],
    [
      'the pattern "N{0,}" is not',
      { normalizer: { type: "Replace", pattern: { Regex: "N{0,}" }, content: "" } },
    ],
    [
      'the pattern "N{5,3}" is not',
      { normalizer: { type: "Replace", pattern: { Regex: "N{5,3}" }, content: "" } },
    ],
    ['the pattern "" is not', { normalizer: { type: "Replace", pattern: { String: "" }, content: "" } }],
    ['pre_tokenizer "Metaspace"', { pre_tokenizer: { type: "Metaspace" } }],
    ['pre_tokenizer "ByteLevel, add_prefix_space"', { pre_tokenizer: { type: "ByteLevel" } }],
    [
      'pre_tokenizer "Split, MergedWithNext"',
      { pre_tokenizer: { type: "Split", pattern: { String: "A" }, behavior: "MergedWithNext" } },
    ],
    [
      'pre_tokenizer "Split, Isolated, inverted"',
      { pre_tokenizer: { type: "Split", pattern: { String: "A" }, behavior: "Isolated", invert: true } },
    ],
    ['post_processor "Unknown"', { post_processor: { type: "Unknown" } }],
    ["has the sequence 0 times", { post_processor: template([]) }],
    ["has the sequence 2 times", { post_processor: template([sequenceA, sequenceA]) }],
    [
      'uses "[CLS]", which is not in special_tokens',
      { post_processor: template([{ SpecialToken: { id: "[CLS]" } }]) },
    ],
    [
      'uses "__proto__", which is not in special_tokens',
      { post_processor: template([{ SpecialToken: { id: "__proto__" } }]) },
    ],
    [
      "adds the id 77, which no token has",
      { post_processor: { type: "BertProcessing", sep: ["x", 77], cls: ["y", 0] } },
    ],
    [
      'added token "X, single_word"',
      { added_tokens: [{ id: 6, content: "X", ...special, single_word: true }] },
    ],
    [
      'added token "X, normalized"',
      {
        added_tokens: [{ id: 6, content: "X", ...special, normalized: true }],
        normalizer: { type: "Strip", strip_left: true, strip_right: true },
      },
    ],
  ])("%s", (message, part) => expect(refusal(JSON.stringify({ ...whole, ...part }))).toContain(message));
});

describe("refuses inconsistent files, with the location", () => {
  test.each<[string, object]>([
    ['tokens "C" and "G" have the same id 2', { model: { ...model, vocab: { ...model.vocab, G: 2 } } }],
    ['merge 1, "A C": "AC" is not in the vocabulary', { model: { ...model, merges: ["A A", "A C"] } }],
    ['merge 0, "A N": "N" is not in the vocabulary', { model: { ...model, merges: ["A N"] } }],
    ['merge 0 is "AA"; expected two tokens', { model: { ...model, merges: ["AA"] } }],
    ['merge 0 is "A A A"; expected two tokens', { model: { ...model, merges: ["A A A"] } }],
    ['model.unk_token "[X]" is not in the vocabulary', { model: { ...model, unk_token: "[X]" } }],
    ['added token "A" has id 9; expected 1', { added_tokens: [{ id: 9, content: "A", ...special }] }],
    ['added token "X" has id 9; expected 6', { added_tokens: [{ id: 9, content: "X", ...special }] }],
    ['model.vocab has "A": -1; expected a token', { model: { ...model, vocab: { ...model.vocab, A: -1 } } }],
    ['model.vocab has "A": 1.5;', { model: { ...model, vocab: { ...model.vocab, A: 1.5 } } }],
    ['model.vocab has "A": 1073741824;', { model: { ...model, vocab: { ...model.vocab, A: 2 ** 30 } } }],
    ['model.vocab has "": 6;', { model: { ...model, vocab: { ...model.vocab, "": 6 } } }],
    ["model.vocab: ", { model: { ...model, vocab: [["A", 0]] } }],
    ["model.vocab", { model: { ...model, vocab: { ...model.vocab, ["A".repeat(5000)]: 6 } } }],
    ["added_tokens.0.content: ", { added_tokens: [{ id: 6, content: "", ...special }] }],
    ["model: ", { model: undefined }],
  ])("%s (%#)", (message, part) => expect(refusal(JSON.stringify({ ...whole, ...part }))).toContain(message));

  test("refuses invalid JSON, repeated names and deep nesting", () => {
    expect(refusal("{")).toBe("m/tokenizer.json: the file is not JSON");
    expect(refusal('{"model": {"type": "BPE", "type": "BPE"}}')).toContain('gives the name "type" twice');
    expect(refusal("[".repeat(100_000))).toContain("nested");
    expect(refusal("null")).toContain("m/tokenizer.json: ");
  });
});

test("a token named __proto__ is a token", () => {
  const source = JSON.stringify(whole).replace('"AA":5', '"AA":5,"__proto__":6');
  expect(source).toContain("__proto__");
  const { vocabulary } = parseTokenizerJson(source, "m/tokenizer.json");
  expect([...vocabulary.keys()]).toEqual([...Object.keys(model.vocab), "__proto__"]);
});
