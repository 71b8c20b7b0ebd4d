import { join } from "node:path";
import { sha256Hex } from "../../base/digest.ts";
import { InputError } from "../../base/errors.ts";
import { kindOfPath, namesInFolder } from "../../base/folder.ts";
import { Pcg64 } from "../../base/pcg64.ts";
import { normal, uniform } from "../../base/random.ts";
import { writeFileAtomic } from "../../base/write-file.ts";
import { elementCount } from "../../net/arrays/array.ts";
import { writeSafetensors } from "../../net/arrays/safetensors.ts";
import type { InitialLaw } from "../language/architecture.ts";
import type { LanguageModelCard } from "../language/card.ts";

/** An untrained checkpoint on disk. */
export interface UntrainedModel {
  readonly folder: string;
  readonly preset: string;
  readonly parameters: number;
  readonly seed: number;
}

/** Names and configurations that `initCheckpoint` knows for a family: its public checkpoints, then its toys. */
export function presetsOf(card: LanguageModelCard): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  return new Map([
    ...card.checkpoints.map(({ preset, config }) => [preset, config] as const),
    ...Object.entries(card.toys),
  ]);
}

/** @throws {InputError} when the family has no such preset */
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
  /** Contents of the tokenizer's files by name, as `tokenizerFilesFor` gives them; else those that the sizes tell. */
  readonly tokenizer?: Readonly<Record<string, string>>;
}

/**
 * Writes an untrained checkpoint in the layout of the real ones: config.json, model.safetensors and the tokenizer's files.
 * Byte-pair tokens of a published size do not follow from the sizes: without `tokenizer`, such a checkpoint has none yet.
 *
 * Every tensor is drawn as the published code draws it. Each tensor has a generator of its own, seeded by the seed and its
 * name, so the same seed gives the same bytes on any machine.
 *
 * @throws {InputError} when the preset is unknown or the folder is not empty
 */
export async function initCheckpoint(
  card: LanguageModelCard,
  { preset, seed, folder, tokenizer }: InitRequest,
): Promise<UntrainedModel> {
  const config = presetConfig(card, preset);
  await requireEmpty(folder);
  const file = join(folder, "config.json");
  const architecture = card.architecture(config, file);
  const arrays = architecture.tensors.map((tensor) => ({
    name: tensor.name,
    dtype: tensor.dtype ?? ("float32" as const),
    shape: tensor.shape,
    data: async () =>
      drawParameter(architecture.initial(tensor), elementCount(tensor.shape), `${seed} ${tensor.name}`),
  }));
  await writeSafetensors(join(folder, "model.safetensors"), arrays, { format: "pt" });
  await writeFileAtomic(file, `${JSON.stringify(config, null, 2)}\n`);
  for (const [name, text] of Object.entries(tokenizer ?? card.tokenizerFiles?.(config) ?? {})) {
    await writeFileAtomic(join(folder, name), text);
  }
  const parameters = architecture.tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  return { folder, preset, parameters, seed };
}

/** @throws {InputError} when there is something in the folder */
export async function requireEmpty(folder: string): Promise<void> {
  if ((await kindOfPath(folder)) === undefined || (await namesInFolder(folder)).length === 0) return;
  throw new InputError(`the folder ${folder} is not empty`, {
    hint: "choose a new folder for the checkpoint",
  });
}

/**
 * Values drawn by a law.
 * @param seed  the seed and the tensor's name
 */
export function drawParameter(law: InitialLaw, count: number, seed: string): Float32Array | BigInt64Array {
  const rng = new Pcg64(BigInt(`0x${sha256Hex(seed).slice(-32)}`));
  switch (law.kind) {
    case "values":
      return law.values();
    case "constant":
      return new Float32Array(count).fill(law.value);
    case "drawn":
      return filled(count, () => law.value(uniform(rng)));
    case "normal":
      return filled(count, () => normal(rng, 0, law.deviation));
    case "uniform":
      return filled(count, () => uniform(rng, -law.bound, law.bound));
  }
}

/** By a loop: `Float32Array.from` takes half as long again, minutes for half a billion parameters. */
function filled(count: number, next: () => number): Float32Array {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = next();
  return values;
}
