import { z } from "zod";
import { FormatError } from "../../base/errors.ts";
import { formatShape, isFloat, type NdArray } from "./array.ts";
import { firstNotFinite } from "./finite.ts";
import { widenToFloat32 } from "./float-conversion.ts";
import { type Hdf5File, openHdf5 } from "./hdf5.ts";

/**
 * A layer of a Keras model as described in its file. Layers are recognised by class and settings; no code of
 * the file runs.
 */
export interface KerasLayer {
  /** Unique among the layers of its model. */
  readonly name: string;
  /** Keras class, such as `Conv1D`; `Functional` is a nested model. */
  readonly kind: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Names of the layers of the same model whose outputs it reads. */
  readonly inputs: readonly string[];
  /** The nested model of a `Functional` layer. */
  readonly model: KerasModel | undefined;
}

export interface KerasModel {
  readonly layers: readonly KerasLayer[];
  /** Names of the layers that give the outputs of the model, in order. */
  readonly outputs: readonly string[];
}

/** A Keras model saved as one HDF5 file. */
export interface KerasFile extends AsyncDisposable {
  readonly path: string;
  readonly model: KerasModel;
  /**
   * Reads an array of a layer as float32.
   *
   * @param at     the layer's name, preceded by the names of the models that contain it
   * @param name   name in Keras, such as `kernel`
   * @param shape  expected shape
   * @throws {FormatError} when there is none, or it has another shape
   */
  weight(at: readonly string[], name: string, shape: readonly number[]): NdArray<"float32">;
  close(): Promise<void>;
}

const LayerText = z.object({
  class_name: z.string(),
  name: z.string().optional(),
  config: z.record(z.string(), z.unknown()),
  inbound_nodes: z.unknown().optional(),
});
const ModelText = z.object({ layers: z.array(LayerText), output_layers: z.unknown() });

/**
 * Opens a file of `model.save("model.h5")` by Keras 2 or 3: functional models, also nested.
 *
 * @throws {FormatError} when the file is not HDF5, or has no such model
 * @throws {InputError} when there is no such file
 */
export async function openKeras(path: string): Promise<KerasFile> {
  const file = await openHdf5(path);
  try {
    const model = readModel(path, file);
    const listed = new Map<string, readonly string[]>();
    const arraysOf = (layer: string) => {
      const paths = listed.get(layer) ?? arraysIn(file, `${WEIGHTS}/${layer}`);
      listed.set(layer, paths);
      return paths;
    };
    return {
      path,
      model,
      weight: (at, name, shape) => readWeight(path, file, arraysOf(at[0]), { at, name, shape }),
      close: () => file.close(),
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function readModel(path: string, file: Hdf5File): KerasModel {
  const text = file.attribute("", "model_config");
  if (text === undefined) {
    throw new FormatError(
      { file: path },
      "the file describes no model: it has no attribute model_config",
      'save the whole model, not only its weights: model.save("model.h5")',
    );
  }
  try {
    const { config } = LayerText.parse(JSON.parse(text));
    return modelOf(config);
  } catch (cause) {
    throw new FormatError(
      { file: path },
      "the attribute model_config describes no functional model",
      undefined,
      cause,
    );
  }
}

function modelOf(config: Readonly<Record<string, unknown>>): KerasModel {
  const { layers, output_layers } = ModelText.parse(config);
  return {
    outputs: namesIn(output_layers),
    layers: layers.map((layer) => ({
      name: layer.name ?? z.string().parse(layer.config.name),
      kind: layer.class_name,
      settings: layer.config,
      inputs: namesIn(layer.inbound_nodes),
      model: "layers" in layer.config ? modelOf(layer.config) : undefined,
    })),
  };
}

/**
 * Names of the layers in a reference. Keras 2 writes [name, node, tensor, …] for an output of a layer, Keras
 * 3 the same under `keras_history`, nested in lists and objects of varying depth.
 */
function namesIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) {
    const [name, node, tensor] = value;
    const refers = typeof name === "string" && typeof node === "number" && typeof tensor === "number";
    return refers ? [name] : value.flatMap(namesIn);
  }
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(namesIn) : [];
}

const WEIGHTS = "model_weights";

/** @param paths  arrays of the layer, or of the outermost model that contains it */
function readWeight(
  path: string,
  file: Hdf5File,
  paths: readonly string[],
  { at, name, shape }: { at: readonly string[]; name: string; shape: readonly number[] },
): NdArray<"float32"> {
  const tensor = [...at, name].join("/");
  // The weights of a nested model are in subgroups of its group, those of a layer at any depth of its group.
  const ending = `/${at.length > 1 ? `${at.at(-1)}/` : ""}${name}`;
  const places = paths.filter((path) =>
    [path, path.replace(/:\d+$/, "")].some((each) => `/${each}`.endsWith(ending)),
  );
  const array = places.length === 1 ? file.array(places[0]) : undefined;
  if (array === undefined) {
    const found = places.length > 1 ? "is in the file more than once" : "is not in the file";
    throw new FormatError({ file: path, tensor }, found);
  }
  if (String(array.shape) !== String(shape)) {
    throw new FormatError(
      { file: path, tensor },
      `has shape ${formatShape(array.shape)}; expected ${formatShape(shape)} by model_config`,
    );
  }
  if (!isFloat(array.dtype)) {
    throw new FormatError({ file: path, tensor }, `is ${array.dtype}; expected floats`);
  }
  const { dtype, data } = array.read();
  const weights = widenToFloat32(dtype, data);
  const odd = firstNotFinite("float32", weights);
  if (odd >= 0) {
    throw new FormatError(
      { file: path, tensor },
      `element ${odd} is ${weights[odd]}: every weight must be a finite number`,
      "did the training diverge, or was the file damaged? Use an earlier one, or download it again",
    );
  }
  return { dtype: "float32", shape, data: weights };
}

/** Nesting of groups that is searched in the group of a layer: a model, a layer, and one spare. */
const DEPTH = 3;

/** Paths of the arrays in a group; an empty group counts as an array. */
function arraysIn(file: Hdf5File, group: string, depth = DEPTH): readonly string[] {
  const places = file.names(group).map((name) => `${group}/${name}`);
  if (depth === 0) return places;
  return places.flatMap((place) => {
    const inside = arraysIn(file, place, depth - 1);
    return inside.length === 0 ? [place] : inside;
  });
}
