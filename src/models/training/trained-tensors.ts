import { z } from "zod";
import { FormatError } from "../../base/errors.ts";
import { hasDType, type NdArray } from "../../net/arrays/array.ts";
import { openCheckpoint } from "../../net/arrays/checkpoint.ts";
import { type BindingHints, bindParameters } from "../language/parameters.ts";

/** A trained tensor expected in a file of weights. */
export interface TrainedTensor {
  /** Name of the graph's parameter. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Other names of the tensor in files. */
  readonly aliases?: readonly string[];
  /** True if a file may omit the tensor, because no output depends on it. */
  readonly optional?: true;
}

/** An empty buffer in the original's state dicts, by which its modules know their device. */
const IGNORED = [/^device_indicator$/];

/**
 * Reads trained tensors from a safetensors or `torch.save` file; nothing in the file is executed.
 *
 * @returns  float32 values by the graph's parameter names; optional tensors if the file has them
 * @throws {FormatError} listing all missing and unexpected tensors, or naming one with another shape, with
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
    if (!hasDType(array, "float32")) {
      throw new FormatError(
        { file: path, tensor: stored.name },
        `is ${array.dtype}; expected floating-point numbers`,
      );
    }
    const wrong = array.data.find((value) => !Number.isFinite(value));
    if (wrong !== undefined) {
      throw new FormatError(
        { file: path, tensor: stored.name },
        `has the value ${wrong}`,
        "did the training diverge?",
      );
    }
    values.set(name, array);
  }
  return values;
}

/**
 * Reads the layers of a probing head or of a network trained from scratch: `best.safetensors` of a run, or
 * `checkpoint_N.pt` of the original.
 *
 * @param originalLayers  our names of layers and single tensors → their names in the original's state dict
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
    shape: "model, task and recipe (positions, kernel) must be the same as in training",
    names: "are the weights of this setting, model and task?",
  });
}

/** Values of trained parameters, by their names in the graph. */
export type TrainedValues = ReadonlyMap<string, NdArray>;

/** Key of the LoRA recipe in a safetensors file's metadata. */
export const RECIPE_KEY = "lora";

export const recipeInFile = z.object({ rank: z.number().positive(), alpha: z.number().positive() });
