import { z } from "zod";
import { FormatError } from "../../base/errors.ts";
import { formatShape, isFloat, type NdArray } from "./array.ts";
import { firstNotFinite } from "./finite.ts";
import { widenToFloat32 } from "./float-conversion.ts";
import { type Hdf5File, openHdf5 } from "./hdf5.ts";

/** A layer of a Keras model as its file describes it. Nothing of it is ever run: layers are known by kind and settings. */
export interface KerasLayer {
  /** Unique among the layers beside it. */
  readonly name: string;
  /** Keras' class, such as `Conv1D`; `Functional` is a model inside the model. */
  readonly kind: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Names of the layers beside it whose outputs it reads. */
  readonly inputs: readonly string[];
  /** Of a model inside the model. */
  readonly model: KerasModel | undefined;
}

export interface KerasModel {
  readonly layers: readonly KerasLayer[];
  /** Names of the layers that the model's outputs come from, in their order. */
  readonly outputs: readonly string[];
}

/** A Keras model saved as one HDF5 file. */
export interface KerasFile extends AsyncDisposable {
  readonly path: string;
  readonly model: KerasModel;
  /**
   * An array of a layer, as float32.
   *
   * @param at     the layer's name, after the names of the models it lies in
   * @param name   as Keras calls it, such as `kernel`
   * @param shape  what is expected
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
 * Opens what `model.save("model.h5")` writes: Keras 2 and 3, functional models, models inside models.
 *
 * @throws {FormatError} when the file is no HDF5, or holds no such model
 * @throws {InputError} when there is no such file
 */
export async function openKeras(path: string): Promise<KerasFile> {
  const file = await openHdf5(path);
  try {
    const model = readModel(path, file);
    return {
      path,
      model,
      weight: (at, name, shape) => readWeight(path, file, at, name, shape),
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
      "the file does not say what its model is: it has no attribute model_config",
      'save the whole model, not its weights alone: model.save("model.h5")',
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
 * The layers that some text refers to. Keras 2 writes [name, node, tensor, …] for an output of a layer, Keras 3 the same
 * under `keras_history`, each inside lists and objects of various depth.
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

function readWeight(
  path: string,
  file: Hdf5File,
  at: readonly string[],
  name: string,
  shape: readonly number[],
): NdArray<"float32"> {
  const tensor = [...at, name].join("/");
  // A model's weights lie in groups of their own inside its group, a layer's in its group at any depth.
  const ending = new RegExp(
    `(^|/)${at.length > 1 ? `${escaped(at.at(-1)!)}/` : ""}${escaped(name)}(:\\d+)?$`,
  );
  const places = arraysIn(file, `${WEIGHTS}/${at[0]}`).filter((place) => ending.test(place));
  const array = places.length === 1 ? file.array(places[0]) : undefined;
  if (array === undefined) {
    const found = places.length > 1 ? "is there more than once" : "is not in the file";
    throw new FormatError({ file: path, tensor }, found);
  }
  if (String(array.shape) !== String(shape)) {
    throw new FormatError(
      { file: path, tensor },
      `has shape ${formatShape(array.shape)}, expected ${formatShape(shape)} by model_config`,
    );
  }
  if (!isFloat(array.dtype)) {
    throw new FormatError({ file: path, tensor }, `is ${array.dtype}, expected floats`);
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

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Groups in a layer's group that are looked into: a model's name, a layer's, and one to spare. */
const DEPTH = 3;

/** Places of the arrays in a group; an empty group counts as one. */
function arraysIn(file: Hdf5File, group: string, depth = DEPTH): readonly string[] {
  const places = file.names(group).map((name) => `${group}/${name}`);
  if (depth === 0) return places;
  return places.flatMap((place) => {
    const inside = arraysIn(file, place, depth - 1);
    return inside.length === 0 ? [place] : inside;
  });
}
