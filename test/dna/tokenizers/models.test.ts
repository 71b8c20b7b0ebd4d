import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openTokenizer } from "../../../src/dna/tokenizers/open-tokenizer.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { type Expected, expectEncodings } from "./encodings.ts";

/** By scripts/golden/tokenizer_models.py: `tokenizers` and BertTokenizer. */
const goldens = JSON.parse(
  readFileSync(new URL("../../golden/tokenizers/models.json", import.meta.url), "utf8"),
) as Readonly<
  Record<string, { readonly json?: object; readonly lines?: string[]; readonly rows: readonly Expected[] }>
>;

const folderWith = (file: string, text: string) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, file), text);
  return folder;
};

const openGolden = (name: string) => {
  const { json, lines } = goldens[name];
  return openTokenizer(
    json === undefined
      ? folderWith("vocab.txt", `${lines!.join("\n")}\n`)
      : folderWith("tokenizer.json", JSON.stringify(json)),
  );
};

test.each([
  ["WordPiece", "bpe"],
  ["WordLevel", "one-letter"],
  ["WordLevel 3-mers", "k-mer"],
  ["Unigram", "bpe"],
  ["letters", "one-letter"],
  ["DNABERT", "k-mer"],
  ["SpliceBERT", "one-letter"],
])("%s has the ids and offsets of the reference", async (name, kind) => {
  const tokenizer = await openGolden(name);
  expect(tokenizer.kind).toBe(kind);
  expect(expectEncodings(tokenizer, goldens[name].rows)).toBeGreaterThan(7);
});

test("a base without a token is refused by position", async () => {
  const tokenizer = await openGolden("WordPiece");
  expect(() => tokenizer.encode("ACGNT")).toThrow(/has no token for the bases at position 0: "ACGNT"/);
});

test("refuses, without running it, a regular expression that may be slow", async () => {
  const json = structuredClone(goldens.WordLevel.json) as Record<string, unknown>;
  json.pre_tokenizer = { type: "Split", pattern: { Regex: "(a+)+$" }, behavior: "Isolated", invert: false };
  const folder = folderWith("tokenizer.json", JSON.stringify(json));
  await expect(openTokenizer(folder)).rejects.toThrow(/the pattern "\(a\+\)\+\$" is not supported/);
});

const bases = [..."ATCG"];
const twoMers = bases.flatMap((a) => bases.map((b) => a + b));

test("k-mers with a remainder, as in GENERator", async () => {
  const lines = ["<oov>", "<s>", "</s>", "<pad>", "<mask>", "<+>", ...twoMers];
  const tokenizer = await openTokenizer(folderWith("vocab.txt", `${lines.join("\n")}\n`));
  const texts = (sequence: string) => [...tokenizer.encode(sequence).ids].map((id) => lines[id]);
  expect(texts("ACGT")).toEqual(["<s>", "AC", "GT", "</s>"]);
  expect(texts("<+>ACN")).toEqual(["<s>", "<+>", "AC", "<oov>", "</s>"]);
  expect(texts("ACnGT")).toEqual(["<s>", "AC", "<oov>", "GT", "</s>"]);
  const odd = tokenizer.encode("ACG");
  expect([...odd.ids].map((id) => lines[id])).toEqual(["<s>", "AC", "<oov>", "</s>"]);
  expect([...odd.remainder!].map((id) => lines[id])).toEqual(["GA", "GT", "GC", "GG"]);
  expect([[...odd.starts], [...odd.ends]]).toEqual([
    [0, 0, 2, 0],
    [0, 2, 3, 0],
  ]);
  expect(tokenizer.encode("ACGT").remainder).toBeUndefined();
});

test.each([
  [["<oov>", "<s>", "</s>", ...twoMers], "the vocabulary has no <pad>"],
  [["<oov>", "<s>", "</s>", "<pad>", ...twoMers.slice(1)], "has 15 k-mers of 2 bases; expected 16"],
  [["<oov>", "<s>", "</s>", "<pad>", "AA", "ACG"], '"ACG" is not a k-mer of 2 bases'],
])("an invalid vocabulary with a remainder is an error %#", async (lines, message) => {
  await expect(openTokenizer(folderWith("vocab.txt", lines.join("\n")))).rejects.toThrow(message);
});
