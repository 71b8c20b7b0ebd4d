import { join } from "node:path";
import { sha256Hex } from "../../base/digest.ts";
import { InputError } from "../../base/errors.ts";
import { cacheFolder, createFolderAtomic, kindOfPath, namesInFolder } from "../../base/folder.ts";
import { markInUse } from "../../base/in-use.ts";
import { stableStringify } from "../../base/json.ts";
import { Pcg64 } from "../../base/pcg64.ts";
import { normal, uniform } from "../../base/random.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { elementCount } from "../../net/arrays/array.ts";
import { writeSafetensors } from "../../net/arrays/safetensors.ts";
import type { Initializer } from "../language/architecture.ts";
import type { LanguageModelCard } from "../language/card.ts";

/** An untrained checkpoint on disk. */
export interface UntrainedModel {
  readonly folder: string;
  readonly preset: string;
  readonly parameters: number;
  readonly seed: number;
}

/** Presets of `initCheckpoint`, with their configurations: published checkpoints, then toys. */
export function presetsOf(card: LanguageModelCard): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  return new Map([
    ...card.checkpoints.map(({ preset, config }) => [preset, config] as const),
    ...Object.entries(card.toys),
  ]);
}

/**
 * Configuration of a preset.
 * @throws {InputError} when the family has no such preset
 */
export function presetConfig(card: LanguageModelCard, preset: string): Readonly<Record<string, unknown>> {
  const presets = presetsOf(card);
  const config = presets.get(preset);
  if (config !== undefined) return config;
  throw new InputError(`${card.title} has no preset ${JSON.stringify(preset)}`, {
    hint: `choose one of ${[...presets.keys()].join(", ")}`,
  });
}

/** Family, size and seed of an untrained checkpoint. */
export interface InitRequest {
  readonly preset: string;
  readonly seed: number;
  readonly folder: string;
  /** Tokenizer files by name, as from `tokenizerFilesFor`; by default those that follow from the sizes. */
  readonly tokenizer?: Readonly<Record<string, string>>;
}

/**
 * Writes an untrained checkpoint in the layout of published ones: config.json, model.safetensors and
 * tokenizer files. A byte-pair vocabulary of a published size does not follow from the sizes: without
 * `tokenizer` such a checkpoint has none.
 *
 * Tensors are initialised as in the official code. Each has its own generator, seeded with the seed and its
 * name, so a seed gives the same bytes on any machine.
 *
 * @throws {InputError} when the preset is unknown or the folder is not empty
 */
export async function initCheckpoint(
  card: LanguageModelCard,
  { preset, seed, folder, tokenizer }: InitRequest,
): Promise<UntrainedModel> {
  const config = presetConfig(card, preset);
  await requireEmpty(folder);
  const parameters = await writeUntrained(card, config, { seed, folder, tokenizer });
  return { folder, preset, parameters, seed };
}

/**
 * Folder with an untrained checkpoint of a configuration, written once to the cache. It is marked as in use
 * until the process ends.
 *
 * @param tokenizer  files by name, as in the checkpoint
 * @throws {InputError} when the cache cannot be written
 */
export async function untrainedFolder(
  card: LanguageModelCard,
  config: Readonly<Record<string, unknown>>,
  { seed, tokenizer }: Pick<InitRequest, "seed"> & Required<Pick<InitRequest, "tokenizer">>,
): Promise<string> {
  const key = stableStringify({ version: INITIALISER_VERSION, family: card.name, config, seed, tokenizer });
  const folder = cacheFolder("untrained", sha256Hex(key).slice(0, 32));
  await markInUse(folder);
  await createFolderAtomic(folder, async (partial) => {
    await writeUntrained(card, config, { seed, folder: partial, tokenizer });
  });
  return folder;
}

/** Version in the name of a cached untrained checkpoint: increment it when an initialiser changes. */
const INITIALISER_VERSION = 1;

/** Writes the files of an untrained checkpoint. @returns number of parameters */
async function writeUntrained(
  card: LanguageModelCard,
  config: Readonly<Record<string, unknown>>,
  {
    seed,
    folder,
    tokenizer,
  }: Omit<InitRequest, "preset" | "tokenizer"> & { readonly tokenizer: InitRequest["tokenizer"] | undefined },
): Promise<number> {
  const file = join(folder, "config.json");
  const architecture = card.architecture(config, file);
  const arrays = architecture.tensors.map((tensor) => ({
    name: tensor.name,
    dtype: tensor.dtype ?? ("float32" as const),
    shape: tensor.shape,
    data: async () =>
      drawParameter(architecture.initializer(tensor), elementCount(tensor.shape), `${seed} ${tensor.name}`),
  }));
  await writeSafetensors(join(folder, "model.safetensors"), arrays, { format: "pt" });
  await writeFileAtomic(file, `${JSON.stringify(config, null, 2)}\n`);
  for (const [name, text] of Object.entries(tokenizer ?? card.tokenizerFiles?.(config) ?? {})) {
    await writeFileAtomic(join(folder, name), text);
  }
  return architecture.tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

/**
 * Checks that a folder is empty or does not exist.
 * @throws {InputError} when it is not empty
 */
export async function requireEmpty(folder: string): Promise<void> {
  if ((await kindOfPath(folder)) === undefined || (await namesInFolder(folder)).length === 0) return;
  throw new InputError(`the folder ${folder} is not empty`, {
    hint: "choose a new folder for the checkpoint",
  });
}

/**
 * Draws the initial values of a tensor.
 * @param seed  text from which the generator is seeded: seed and name of the tensor
 */
export function drawParameter(
  initializer: Initializer,
  count: number,
  seed: string,
): Float32Array | BigInt64Array {
  const rng = new Pcg64(BigInt(`0x${sha256Hex(seed).slice(-32)}`));
  switch (initializer.kind) {
    case "values":
      return initializer.values();
    case "constant":
      return new Float32Array(count).fill(initializer.value);
    case "quantile":
      return filled(count, () => initializer.quantile(uniform(rng)));
    case "normal":
      return filled(count, () => normal(rng, 0, initializer.std));
    case "uniform":
      return filled(count, () => uniform(rng, -initializer.bound, initializer.bound));
  }
}

// A loop: `Float32Array.from` takes 1.5 times as long, minutes for half a billion parameters.
function filled(count: number, next: () => number): Float32Array {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = next();
  return values;
}
