import { z } from "zod";
import { FormatError } from "../../base/errors.ts";
import type { NdArray } from "../../net/arrays/array.ts";
import { openCheckpoint } from "../../net/arrays/checkpoint.ts";
import { type BindingHints, bindParameters } from "../language/parameters.ts";

/** A trained tensor that a file of weights is expected to hold. */
export interface TrainedTensor {
  /** The graph's parameter. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Other names under which files store it. */
  readonly aliases?: readonly string[];
  /** A file may lack it: no output depends on it. */
  readonly optional?: true;
}

/** An empty buffer in state dicts of the original, which uses it to look up the device. */
const IGNORED = [/^device_indicator$/];

/**
 * Reads the trained tensors of a file, safetensors or `torch.save`; nothing in the latter is executed.
 *
 * @returns  float32 values by the graph's parameter names; optional tensors where the file has them
 * @throws {FormatError} listing all missing and all left-over tensors, or naming one of another shape, with
 *   integers, or with a value that is not finite
 * @throws {InputError} when there is no such file
 */
export async function readTrainedTensors(
  path: string,
  tensors: readonly TrainedTensor[],
  hints: BindingHints,
): Promise<ReadonlyMap<string, NdArray>> {
  await using checkpoint = await openCheckpoint(path);
  const expected = tensors
    .map(({ aliases = [], ...tensor }) => ({ ...tensor, aliases }))
    .filter(
      ({ name, aliases, optional }) =>
        optional === undefined || [name, ...aliases].some((each) => checkpoint.arrays.has(each)),
    );
  const values = new Map<string, NdArray>();
  for (const [name, stored] of bindParameters(expected, checkpoint, IGNORED, hints)) {
    const array = await checkpoint.read(stored.name);
    if (array.dtype !== "float32") {
      throw new FormatError(
        { file: path, tensor: stored.name },
        `holds ${array.dtype}; floating-point numbers are expected`,
      );
    }
    const wrong = (array.data as Float32Array).find((value) => !Number.isFinite(value));
    if (wrong !== undefined) {
      throw new FormatError(
        { file: path, tensor: stored.name },
        `holds ${wrong}`,
        "did the training diverge?",
      );
    }
    values.set(name, array);
  }
  return values;
}

/**
 * Reads the layers of a head, or of a network trained from sequences alone: `best.safetensors` of a run, or
 * `checkpoint_N.pt` of the original.
 *
 * @param originalLayers  names of layers and lone tensors in the original's state dict, by ours
 * @throws as `readTrainedTensors`
 */
export function readLayers(
  path: string,
  tensors: readonly Pick<TrainedTensor, "name" | "shape">[],
  originalLayers: Readonly<Record<string, string>> = {},
): Promise<ReadonlyMap<string, NdArray>> {
  const layers = Object.entries(originalLayers);
  const named = tensors.map(({ name, shape }): TrainedTensor => {
    const layer = layers.find(([own]) => name === own || name.startsWith(`${own}.`));
    if (layer === undefined) return { name, shape };
    const [own, original] = layer;
    return { name, shape, aliases: [`${original}${name.slice(own.length)}`] };
  });
  return readTrainedTensors(path, named, {
    shape: "model, task and recipe (positions, kernel) must be those that the weights were trained with",
    names: "were the weights trained in this setting, for this model and task?",
  });
}

/** Values of what is trained, by the names of the graph's parameters. */
export type TrainedValues = ReadonlyMap<string, NdArray>;

/** Where our files keep the recipe, among a safetensors file's metadata. */
export const RECIPE_KEY = "lora";

export const recipeInFile = z.object({ rank: z.number().positive(), alpha: z.number().positive() });
