import { cpSync, mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { FormatError, InputError } from "../../../src/base/errors.ts";
import { nucleotideTransformerVocabulary } from "../../../src/dna/tokenizers/k-mer.ts";
import { openTokenizer } from "../../../src/dna/tokenizers/open-tokenizer.ts";
import { testWithSharedData } from "../../shared-data.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

/** Creates a folder "model" with these files. */
function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = join(temporaryFolder(), "model");
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

const config = (value: object) => ({ "tokenizer_config.json": JSON.stringify(value) });
const vocabulary = nucleotideTransformerVocabulary(2, 3);

test("a folder with a vocab.txt is a k-mer tokenizer, with or without a last line end", async () => {
  for (const text of [vocabulary.join("\n"), `${vocabulary.join("\r\n")}\r\n`]) {
    const tokenizer = await openTokenizer(folderWith({ "vocab.txt": text }));
    expect([tokenizer.name, tokenizer.kind]).toEqual(["model", "k-mer"]);
    expect([...tokenizer.encode("AAAC").ids]).toEqual([3, 6, vocabulary.indexOf("C")]);
  }
});

test("recognises HyenaDNA and Caduceus by their class", async () => {
  const characters = ["A", "C", "G", "T", "N"];
  const hyenadna = await openTokenizer(
    folderWith(config({ tokenizer_class: "HyenaDNATokenizer", characters })),
  );
  const caduceus = await openTokenizer(folderWith(config({ tokenizer_class: "CaduceusTokenizer" })));
  expect([...hyenadna.encode("a").ids]).toEqual([6, 1]);
  expect([...caduceus.encode("a").ids]).toEqual([7, 1]);
});

test("refuses other characters", async () => {
  const folder = folderWith(
    config({ tokenizer_class: "HyenaDNATokenizer", characters: ["A", "C", "G", "U", "N"] }),
  );
  await expect(openTokenizer(folder)).rejects.toThrow(FormatError);
});

describe("special tokens at the ends", () => {
  const tokenizerJson = (type: string, ends: boolean) => ({
    "tokenizer.json": JSON.stringify({
      decoder: null,
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: type === "Metaspace" ? { type, replacement: "▁", prepend_scheme: "always" } : null,
      post_processor: ends
        ? {
            type: "TemplateProcessing",
            single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
            special_tokens: { "<s>": { id: "<s>", ids: [0], tokens: ["<s>"] } },
          }
        : null,
      model:
        type === "BPE"
          ? { type, vocab: { "<s>": 0, A: 1, C: 2, G: 3, T: 4 }, merges: [] }
          : {
              type: "Unigram",
              unk_id: 0,
              vocab: ["<s>", "A", "C", "G", "T", "▁"].map((token) => [token, -1]),
            },
    }),
  });
  const opened = (flags: object, ends: boolean) =>
    openTokenizer(folderWith({ ...tokenizerJson("BPE", ends), ...config(flags) }));

  test("those of tokenizer.json, where the class of the tokenizer adds the same", async () => {
    const llama = { tokenizer_class: "LlamaTokenizerFast", add_bos_token: true, add_eos_token: false };
    expect([...(await opened(llama, true)).encode("AC").ids]).toEqual([0, 1, 2]);
    const unflagged = { tokenizer_class: "PreTrainedTokenizerFast", add_bos_token: true };
    expect([...(await opened(unflagged, false)).encode("AC").ids]).toEqual([1, 2]);
  });

  test("a class that adds others is refused", async () => {
    const llama = { tokenizer_class: "LlamaTokenizerFast", add_bos_token: true };
    await expect(opened(llama, false)).rejects.toThrow("add_bos_token is true for LlamaTokenizerFast");
    const neox = { tokenizer_class: "GPTNeoXTokenizer", add_bos_token: false };
    await expect(opened(neox, true)).rejects.toThrow("but tokenizer.json adds such a token");
  });

  test("a token for the start of a word, without bases, is refused", async () => {
    const tokenizer = await openTokenizer(folderWith(tokenizerJson("Metaspace", false)));
    expect(() => tokenizer.encode("ACGT")).toThrow('has a token without bases, "▁"');
  });
});

testWithSharedData(
  "special tokens come from either file, or from their usual names",
  "tokenizers/dnabert2/tokenizer.json",
  async (file) => {
    const expected = { unk: 0, cls: 1, sep: 2, pad: 3, mask: 4 };
    const opened = async (files: Readonly<Record<string, string>>) => {
      const folder = folderWith(files);
      cpSync(file, join(folder, "tokenizer.json"));
      return (await openTokenizer(folder)).special;
    };
    expect((await openTokenizer(dirname(file))).special).toEqual(expected);
    expect(await opened({})).toEqual(expected);
    const map = {
      "special_tokens_map.json": JSON.stringify({ eos_token: { content: "[SEP]" }, pad_token: "[SEP]" }),
    };
    expect(await opened(map)).toEqual({ ...expected, eos: 2, pad: 2 });
    expect(await opened({ ...map, ...config({ pad_token: "[MASK]", bos_token: "<s>" }) })).toEqual({
      ...expected,
      eos: 2,
      pad: 4,
    });
  },
);

describe("errors name the file", () => {
  test.each<[string, Readonly<Record<string, string | Uint8Array>>, string]>([
    ["no file", {}, "model: no tokenizer in this folder"],
    ["an unknown class", config({ tokenizer_class: "constructor" }), "no tokenizer"],
    ["a vocabulary of another kind", { "vocab.txt": "[PAD]\nAAA" }, 'vocab.txt:1: "[PAD]" is not a k-mer'],
    [
      "a line that is no k-mer",
      { "vocab.txt": vocabulary.join("\n").replace("GGG", "GXG") },
      'vocab.txt:70: "GXG"',
    ],
    [
      "not UTF-8",
      { "tokenizer.json": Uint8Array.of(0x22, 0xff, 0x22) },
      "tokenizer.json: the file is not UTF-8",
    ],
    ["not JSON", { "tokenizer.json": "{" }, "tokenizer.json: the file is not JSON"],
    ["a setting of another type", config({ tokenizer_class: 7 }), "tokenizer_config.json: tokenizer_class: "],
  ])("%s", async (_, files, message) => {
    const error = await openTokenizer(folderWith(files)).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).describe()).toContain(message);
  });

  test("of a file above the size limit, before reading it", async () => {
    const folder = folderWith({ "vocab.txt": "" });
    truncateSync(join(folder, "vocab.txt"), 2 ** 40);
    await expect(openTokenizer(folder)).rejects.toThrow("the file has 1099511627776 bytes");
  });

  test("no such folder", async () => {
    await expect(openTokenizer("/no/such/folder")).rejects.toThrow("no such file or folder");
  });
});
