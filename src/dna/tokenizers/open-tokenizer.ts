import { basename, join, resolve } from "node:path";
import { z } from "zod";
import { FormatError, InputError } from "../../base/errors.ts";
import { namesInFolder } from "../../base/folder.ts";
import { shownValue } from "../../base/message-text.ts";
import { openFile } from "../../base/read-file.ts";
import { bpeTokenizer } from "./bpe.ts";
import { kMerTokenizer } from "./k-mer.ts";
import { libraryTokenizer } from "./library-tokenizer.ts";
import {
  bertLetterTokenizer,
  caduceusTokenizer,
  hyenadnaTokenizer,
  isBertLetterVocabulary,
} from "./one-letter.ts";
import { isOverlappingKMerVocabulary, overlappingKMerTokenizer } from "./overlapping-k-mer.ts";
import { remainderKMerTokenizer } from "./remainder-k-mer.ts";
import { checked } from "./text-steps.ts";
import { readSpecialTokens, type Tokenizer } from "./tokenizer.ts";
import { parseJson, parseTokenizerJson } from "./tokenizer-json.ts";

/** Size limit in bytes; a vocabulary of a million long tokens is smaller. */
const MAX_FILE_BYTES = 2 ** 26;

/** Tokenizers without a vocabulary file, by `tokenizer_class`. */
const BY_CLASS: Readonly<Record<string, () => Tokenizer>> = {
  HyenaDNATokenizer: hyenadnaTokenizer,
  CaduceusTokenizer: caduceusTokenizer,
};
const CHARACTERS = "ACGTN";

/** Files of a tokenizer in a model folder. */
export const TOKENIZER_FILES = [
  "tokenizer.json",
  "vocab.txt",
  "tokenizer_config.json",
  "special_tokens_map.json",
] as const;

const settings = z.looseObject({
  tokenizer_class: z.string().nullish(),
  add_bos_token: z.boolean().nullish(),
  add_eos_token: z.boolean().nullish(),
  characters: z.array(z.string()).nullish(),
});

/**
 * Opens the tokenizer of a Hugging Face model folder: `tokenizer.json` (byte pairs, or any other model in
 * which the tokens spell the sequence), else `vocab.txt` (k-mers of Nucleotide Transformer, DNABERT and
 * GENERator, bases of SpliceBERT), else the class in `tokenizer_config.json` (characters, HyenaDNA and
 * Caduceus).
 *
 * The files are untrusted: they are parsed and checked, and no code in them is executed.
 *
 * @param folder  its last component is the name of the tokenizer
 * @throws {InputError} when the folder cannot be read or has none of these files
 * @throws {FormatError} naming the file when it is invalid or needs an unsupported feature
 */
export async function openTokenizer(folder: string): Promise<Tokenizer> {
  const names = await namesInFolder(folder);
  const name = basename(resolve(folder));
  const readJson = async (file: string) => {
    const path = join(folder, file);
    return names.includes(file) ? checked(settings, parseJson(await readText(path), path), path) : {};
  };
  const config = await readJson("tokenizer_config.json");

  if (names.includes("tokenizer.json")) {
    const files = [config, await readJson("special_tokens_map.json")];
    const tokenizer = await bytePairs(name, join(folder, "tokenizer.json"), files);
    checkEnds(tokenizer, config, join(folder, "tokenizer_config.json"));
    return tokenizer;
  }
  if (names.includes("vocab.txt")) {
    const path = join(folder, "vocab.txt");
    const lines = (await readText(path)).split(/\r?\n/);
    while (lines.at(-1) === "") lines.pop();
    if (isOverlappingKMerVocabulary(lines)) return overlappingKMerTokenizer(name, lines, path);
    if (isBertLetterVocabulary(lines)) return bertLetterTokenizer(name, lines);
    if (lines.includes("<oov>")) return remainderKMerTokenizer(name, lines, path);
    return kMerTokenizer(name, lines, path);
  }
  const { tokenizer_class: kind, characters } = config;
  const byClass = kind == null || !Object.hasOwn(BY_CLASS, kind) ? undefined : BY_CLASS[kind];
  if (byClass === undefined) {
    throw new InputError("no tokenizer in this folder", {
      place: { file: folder },
      hint: "expected tokenizer.json, vocab.txt, or a tokenizer_config.json of HyenaDNA or Caduceus",
    });
  }
  if (characters != null && characters.join("") !== CHARACTERS) {
    throw new FormatError(
      { file: join(folder, "tokenizer_config.json") },
      `the characters are ${shownValue(characters)}; expected ${[...CHARACTERS].join(", ")} for ${kind}`,
    );
  }
  return byClass();
}

/** Classes of Transformers 4 that add special tokens by flags, whatever tokenizer.json says. */
const FLAGGED = /^(Llama|CodeLlama|Gemma|Cohere|GPTNeoX)Tokenizer(Fast)?$/;

/** @throws {FormatError} when tokenizer.json adds other special tokens than the class of the tokenizer */
function checkEnds(
  { before, after }: Tokenizer,
  { tokenizer_class: kind, add_bos_token, add_eos_token }: z.output<typeof settings>,
  file: string,
): void {
  if (!FLAGGED.test(kind ?? "")) return;
  const sides = [
    ["add_bos_token", add_bos_token, before.length > 0],
    ["add_eos_token", add_eos_token, after.length > 0],
  ] as const;
  const wrong = sides.find(([, flag, added]) => flag != null && flag !== added);
  if (wrong === undefined) return;
  const [key, flag, added] = wrong;
  throw new FormatError(
    { file },
    `${key} is ${flag} for ${kind}, but tokenizer.json ${added ? "adds" : "does not add"} such a token`,
    "Transformers follows the class: save the tokenizer again with AutoTokenizer.from_pretrained and save_pretrained",
  );
}

/**
 * Opens a single `tokenizer.json`. Special tokens such as the mask and padding are recognised by their usual
 * names.
 *
 * @throws {InputError} when the file cannot be read
 * @throws {FormatError} when it is invalid or needs an unsupported feature
 */
export const openTokenizerJson = (path: string): Promise<Tokenizer> => bytePairs(basename(path), path, []);

async function bytePairs(
  name: string,
  path: string,
  settings: readonly Readonly<Record<string, unknown>>[],
): Promise<Tokenizer> {
  const text = await readText(path);
  const library = libraryTokenizer(name, parseJson(text, path), path, settings);
  if (library !== undefined) return library;
  const description = parseTokenizerJson(text, path);
  return bpeTokenizer(name, description, readSpecialTokens(description.vocabulary, settings));
}

async function readText(path: string): Promise<string> {
  await using file = await openFile(path);
  if (file.size > MAX_FILE_BYTES) {
    throw new FormatError({ file: path }, `the file has ${file.size} bytes; the limit is ${MAX_FILE_BYTES}`);
  }
  const bytes = await file.read(0, file.size);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError({ file: path }, "the file is not UTF-8", undefined, cause);
  }
}
