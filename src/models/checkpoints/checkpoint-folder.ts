import { dirname, join } from "node:path";
import { sha256Hex } from "../../base/digest.ts";
import { FormatError, InputError } from "../../base/errors.ts";
import { kindOfPath } from "../../base/folder.ts";
import { checkNesting, isObject, JsonError, stableStringify } from "../../base/json.ts";
import { shownValue } from "../../base/message-text.ts";
import { textIfPresent } from "../../base/read-file.ts";
import { valueAt } from "../../base/record.ts";
import { TOKENIZER_FILES } from "../../dna/tokenizers/open-tokenizer.ts";
import type { Tokenizer } from "../../dna/tokenizers/tokenizer.ts";
import { dataOf } from "../../net/arrays/array.ts";
import { type Checkpoint, openCheckpoint } from "../../net/arrays/checkpoint.ts";
import { checkFinite } from "../../net/arrays/finite.ts";
import { mappableArrays } from "../../net/arrays/mappable-arrays.ts";
import type { StoredArray } from "../../net/arrays/stored-array.ts";
import type { StoredParameter } from "../../net/runtime/program.ts";
import type { Architecture, ReadTensor } from "../language/architecture.ts";
import type { LanguageModelCard } from "../language/card.ts";
import {
  bindParameters,
  type DeclaredTensor,
  type PlacementOptions,
  placedWeights,
} from "../language/parameters.ts";

/**
 * An open Hugging Face checkpoint folder: family, architecture, tokenizer and the locations of the weights.
 */
export interface CheckpointFolder {
  readonly card: LanguageModelCard;
  /** Contents of config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Built from config.json. */
  readonly architecture: Architecture;
  readonly tokenizer: Tokenizer;
  /** Text that changes whenever the model does. */
  readonly identity: string;
  /** Locations of the architecture's tensors in the files, by their declared names. */
  readonly parameters: ReadonlyMap<string, StoredParameter>;
  readonly read: ReadTensor;
  close(): Promise<void>;
}

/**
 * Opens a folder with config.json and weights.
 *
 * @param cards    families to recognise
 * @param options  device and precision of the programs that will read the weights
 * @throws {InputError} when the folder has no checkpoint of a known family, or a damaged or inconsistent one
 */
export async function openCheckpointFolder(
  folder: string,
  cards: readonly LanguageModelCard[],
  options: PlacementOptions = {},
): Promise<CheckpointFolder> {
  await refuseAdapter(folder);
  const { config, file } = await readConfig(folder);
  const card = familyOf(config, cards, file);
  const architecture = card.architecture(config, file);
  const tokenizer = await card.tokenizer(folder, config);
  checkTokensHaveRows(tokenizer, architecture, folder);
  const checkpoint = await openCheckpoint(folder);
  try {
    const parts = [
      `config ${sha256Hex(stableStringify(config)).slice(0, 16)}`,
      ...(await tokenizerPart(card, folder)),
      `weights ${await checkpoint.digest()}`,
    ];
    return {
      card,
      config,
      architecture,
      tokenizer,
      identity: `${card.name} ${parts.join(" ")}`,
      ...(await weightsOf(architecture, checkpoint, options)),
      close: () => checkpoint.close(),
    };
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

/**
 * Checks that the model has an embedding for every token that DNA can produce. The first Nucleotide
 * Transformers lack those of two special tokens, which DNA does not produce.
 */
function checkTokensHaveRows(
  { special, before, after, vocabularySize, token }: Tokenizer,
  { vocabulary: rows }: Architecture,
  folder: string,
): void {
  const inUse = [...before, ...after, special.mask ?? 0, special.pad ?? 0];
  for (let id = rows; id < vocabularySize; id++) {
    if (/^[ACGTN]+$/.test(token(id) ?? "")) inUse.push(id);
  }
  const largest = Math.max(...inUse);
  if (largest < rows) return;
  throw new FormatError(
    { file: folder },
    `the tokenizer has token ids up to ${largest}, but the model has only ${rows} embeddings`,
    "config.json, weights and tokenizer files must come from the same checkpoint",
  );
}

/** Digest of the names and contents of the tokenizer files; empty for a family with a fixed vocabulary. */
async function tokenizerPart({ tokens }: LanguageModelCard, folder: string): Promise<readonly string[]> {
  const files = await tokenizerFilesIn(folder);
  if (tokens === "one-letter" && !("tokenizer.json" in files)) return [];
  return [`tokenizer ${sha256Hex(stableStringify(files)).slice(0, 16)}`];
}

/** Contents of the tokenizer files of a folder by name. */
export async function tokenizerFilesIn(folder: string): Promise<Readonly<Record<string, string>>> {
  const files: Record<string, string> = {};
  for (const name of TOKENIZER_FILES) {
    const text = await textIfPresent(join(folder, name));
    if (text !== undefined) files[name] = text;
  }
  return files;
}

async function weightsOf(
  { tensors, ignored }: Architecture,
  checkpoint: Checkpoint,
  options: PlacementOptions,
) {
  const bound = bindParameters(tensors, checkpoint, ignored);
  await checkRepeatedTensors(tensors, checkpoint);
  const names = [...bound.values()].map((stored) => stored.name);
  await checkFinite(checkpoint, names);
  const usable = await mappableArrays(checkpoint, names);
  const read: ReadTensor = async (tensor, rows) =>
    checkpoint.read(valueAt(bound, tensor).name, rows === undefined ? {} : { rows });
  return {
    parameters: await placedWeights(
      new Map([...bound].map(([declared, { name }]) => [declared, valueAt(usable, name)])),
      options,
    ),
    read,
  };
}

/**
 * @throws {InputError} for a folder with a LoRA adapter of peft, which Transformers would add to the weights
 */
async function refuseAdapter(folder: string): Promise<void> {
  const file = join(folder, "adapter_config.json");
  if ((await kindOfPath(file)) === undefined) return;
  throw new InputError("this folder has an adapter of peft, which is not read", {
    place: { file },
    hint: "merge it into the model first: model.merge_and_unload().save_pretrained(FOLDER)",
  });
}

/** Maximum nesting in config.json; published ones have a few levels. */
const MAX_CONFIG_DEPTH = 32;

async function readConfig(
  folder: string,
): Promise<{ config: Readonly<Record<string, unknown>>; file: string }> {
  if ((await kindOfPath(folder)) === "file") {
    throw new InputError("this is a file; expected the folder of a checkpoint", { place: { file: folder } });
  }
  const file = join(folder, "config.json");
  const text = await textIfPresent(file);
  if (text === undefined) {
    throw new InputError("no such file", {
      place: { file },
      hint: "give the folder of a checkpoint with config.json and weights; `dart-eval models fetch` downloads one",
    });
  }
  try {
    checkNesting(text, MAX_CONFIG_DEPTH);
    const config: unknown = JSON.parse(withoutInfinities(text), (key, value: unknown) => {
      if (value === Infinity || value === -Infinity) {
        throw new JsonError(`has a number out of range under ${shownValue(key)}`);
      }
      return isInfinity(value) ? null : value;
    });
    if (isObject(config)) return { config, file };
  } catch (cause) {
    const why = cause instanceof JsonError ? cause.message : "is not JSON";
    throw new FormatError({ file }, why, "download it again", cause);
  }
  throw new FormatError({ file }, "the file is not a JSON object", "download it again");
}

/** Infinity as Transformers 5 writes it. */
const isInfinity = (value: unknown) => isObject(value) && value.__float__ === "Infinity";

/**
 * JSON text with null for Python's Infinity, which is not JSON: `"time_step_limit": [0.0, Infinity]` of
 * Mamba-2.
 *
 * A string without its closing quote matches to the end of the text, so that no text takes quadratic time.
 */
const withoutInfinities = (text: string) =>
  text.replace(/"(?:[^"\\]|\\.?)*(?:"|$)|\bInfinity\b/gs, (found) => (found === "Infinity" ? "null" : found));

function familyOf(
  config: Readonly<Record<string, unknown>>,
  cards: readonly LanguageModelCard[],
  file: string,
): LanguageModelCard {
  const card = cards.find((each) => each.recognises(config));
  if (card !== undefined) return card;
  throw new FormatError(
    { file },
    `model_type ${shownValue(config.model_type)} with architectures ${shownValue(config.architectures)} is not a known family`,
    `if Transformers has this architecture: --model ${JSON.stringify(`stdio:python3 -m dart_eval_adapter ${dirname(file)}`)}, see docs/adapters.md`,
  );
}

/** Number of bytes compared at a time. */
const COMPARED_BYTES = 2 ** 24;

/**
 * Checks that a tensor stored under several names has the same values under each, so that it does not matter
 * which one is loaded. Names that share one location in the file are not read.
 *
 * @throws {FormatError} naming the first row that differs
 */
export async function checkRepeatedTensors(
  declared: Iterable<DeclaredTensor>,
  checkpoint: Checkpoint,
): Promise<void> {
  for (const { name, aliases } of declared) {
    const [first, ...others] = [name, ...aliases].flatMap((each) => checkpoint.arrays.get(each) ?? []);
    for (const other of others) {
      if (!samePlace(first, other)) await checkEqual(first, other, checkpoint);
    }
  }
}

const samePlace = (a: StoredArray, b: StoredArray) =>
  a.file === b.file && a.offset === b.offset && a.length === b.length;

async function checkEqual(a: StoredArray, b: StoredArray, checkpoint: Checkpoint): Promise<void> {
  const different = (where: string) =>
    new FormatError(
      { file: b.file, tensor: b.name },
      `differs from ${a.name}${where}, but the model ties the two`,
      "were the weights changed under only one of the names?",
    );
  if (String(a.shape) !== String(b.shape)) throw different(" in shape");
  const rows = a.shape.find((length) => length !== 1) ?? 1;
  const step = Math.max(1, Math.floor(COMPARED_BYTES / Math.max(1, a.length / rows)));
  for (let start = 0; start < rows; start += step) {
    const range = [start, Math.min(start + step, rows)] as const;
    const [x, y] = await Promise.all([a, b].map(({ name }) => checkpoint.read(name, { rows: range })));
    const at = dataOf(x, "float32").findIndex((value, i) => !Object.is(value, y.data[i]));
    if (at >= 0) throw different(` in row ${start + Math.floor((at * (range[1] - start)) / x.data.length)}`);
  }
}
