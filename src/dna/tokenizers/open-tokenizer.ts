import { basename, join, resolve } from "node:path";
import { z } from "zod";
import { FormatError, InputError } from "../../base/errors.ts";
import { namesInFolder } from "../../base/folder.ts";
import { shownValue } from "../../base/message-text.ts";
import { openFile } from "../../base/read-file.ts";
import { bpeTokenizer } from "./bpe.ts";
import { kMerTokenizer } from "./k-mer.ts";
import { caduceusTokenizer, hyenadnaTokenizer } from "./one-letter.ts";
import { checked } from "./text-steps.ts";
import { readSpecialTokens, type Tokenizer } from "./tokenizer.ts";
import { parseJson, parseTokenizerJson } from "./tokenizer-json.ts";

/** A vocabulary of a million long tokens is smaller. */
const LARGEST_FILE = 2 ** 26;

/** Tokenizers that need no vocabulary file, by the class that a model's folder names. */
const BY_CLASS: Readonly<Record<string, () => Tokenizer>> = {
  HyenaDNATokenizer: hyenadnaTokenizer,
  CaduceusTokenizer: caduceusTokenizer,
};
const CHARACTERS = "ACGTN";

/** Files in a model's folder that its tokenizer may be read from. */
export const TOKENIZER_FILES = [
  "tokenizer.json",
  "vocab.txt",
  "tokenizer_config.json",
  "special_tokens_map.json",
] as const;

const settings = z.looseObject({
  tokenizer_class: z.string().nullish(),
  characters: z.array(z.string()).nullish(),
});

/**
 * The tokenizer of a model's folder, as the Hugging Face hub serves it: `tokenizer.json` (byte pairs), else `vocab.txt`
 * (Nucleotide Transformer's k-mers), else the class that `tokenizer_config.json` names (HyenaDNA's and Caduceus' letters).
 *
 * The files are data from strangers: they are parsed and checked, nothing in them is run.
 *
 * @param folder  its last part becomes the tokenizer's name
 * @throws {InputError} when the folder cannot be read or has none of these files
 * @throws {FormatError} naming the file and the place when one is not what it should be, or asks for what is not supported
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
    return await bytePairs(name, join(folder, "tokenizer.json"), files);
  }
  if (names.includes("vocab.txt")) {
    const path = join(folder, "vocab.txt");
    const lines = (await readText(path)).split(/\r?\n/);
    while (lines.at(-1) === "") lines.pop();
    return kMerTokenizer(name, lines, path);
  }
  const { tokenizer_class: kind, characters } = config;
  const byLetters = kind == null || !Object.hasOwn(BY_CLASS, kind) ? undefined : BY_CLASS[kind];
  if (byLetters === undefined) {
    throw new InputError("no tokenizer was found in this folder", {
      place: { file: folder },
      hint: "a tokenizer.json, a vocab.txt, or a tokenizer_config.json of HyenaDNA or Caduceus was expected",
    });
  }
  if (characters != null && characters.join("") !== CHARACTERS) {
    throw new FormatError(
      { file: join(folder, "tokenizer_config.json") },
      `the characters are ${shownValue(characters)}; ${kind} is known with ${[...CHARACTERS].join(", ")} in this order`,
    );
  }
  return byLetters();
}

/**
 * The tokenizer of a `tokenizer.json` alone: which token hides another and which one pads is told by their usual names.
 *
 * @throws {InputError} when the file cannot be read
 * @throws {FormatError} when it is not what it should be, or asks for what is not supported
 */
export const openTokenizerJson = (path: string): Promise<Tokenizer> => bytePairs(basename(path), path, []);

async function bytePairs(
  name: string,
  path: string,
  settings: readonly Readonly<Record<string, unknown>>[],
): Promise<Tokenizer> {
  const description = parseTokenizerJson(await readText(path), path);
  return bpeTokenizer(name, description, readSpecialTokens(description.vocabulary, settings));
}

async function readText(path: string): Promise<string> {
  await using file = await openFile(path);
  if (file.size > LARGEST_FILE) {
    throw new FormatError(
      { file: path },
      `the file has ${file.size} bytes; at most ${LARGEST_FILE} were expected`,
    );
  }
  const bytes = await file.read(0, file.size);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError({ file: path }, "the file is not UTF-8 text", undefined, cause);
  }
}
