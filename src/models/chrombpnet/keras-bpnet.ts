import { z } from "zod";
import { FormatError, InputError } from "../../base/errors.ts";
import { valueAt } from "../../base/record.ts";
import type { NdArray } from "../../net/arrays/array.ts";
import type { KerasFile, KerasLayer, KerasModel } from "../../net/arrays/keras.ts";
import type { BpnetSizes } from "./bpnet.ts";
import { bpnet } from "./bpnet.ts";

/** A network stored in a file. */
export interface StoredBpnet {
  readonly sizes: BpnetSizes;
  /** Arrays by their names in `bpnet`, such as `dilated.0.weight`, without the network's own name. */
  readonly arrays: ReadonlyMap<string, NdArray>;
}

/**
 * Reads a BPNet from a Keras model. Layers are recognised by kind and inputs, not by name.
 *
 * @param inside  path of the model within the file's model; empty for the file's model itself
 * @throws {FormatError} when a layer is missing, unexpected or has other settings than BPNet's, or a weight
 *   another shape
 */
export function readKerasBpnet(
  file: KerasFile,
  model: KerasModel,
  inside: readonly string[] = [],
): StoredBpnet {
  const layers = new Layers(file.path, model);
  const input = layers.take("InputLayer", []);
  const [length] = layers.check(input, InputShape);
  const first = layers.take("Conv1D", [input]);
  const { filters, kernel_size: firstKernel } = layers.check(first, convolution("relu", 1));
  let state = first;
  const dilated: KerasLayer[] = [];
  for (;;) {
    const dilation = 2 ** (dilated.length + 1);
    const crop = layers.find("Cropping1D", [state]);
    if (crop === undefined) break;
    const layer = layers.takeWhere("Conv1D", [state], ({ settings }) => settings.activation === "relu");
    const { filters: out, kernel_size: kernel } = layers.check(layer, convolution("relu", dilation));
    const { cropping } = layers.check(layers.take("Cropping1D", [state]), Cropping);
    if (out !== filters || kernel !== 3 || cropping !== dilation) {
      throw layers.unlike(
        layer,
        `a kernel of 3, ${filters} filters, and ${dilation} positions cut from what is added`,
      );
    }
    dilated.push(layer);
    state = layers.take("Add", [layer, crop]);
  }
  const profile = layers.take("Conv1D", [state]);
  const { filters: profiles, kernel_size: profileKernel } = layers.check(profile, convolution("linear", 1));
  const crop = layers.take("Cropping1D", [profile]);
  const { cropping } = layers.check(crop, Cropping);
  const flat = layers.take("Flatten", [crop]);
  const counts = layers.take("Dense", [layers.take("GlobalAveragePooling1D", [state])]);
  const { units } = layers.check(counts, Dense);
  layers.finish([flat, counts]);
  if (profiles !== 1 || units !== 1) throw layers.unlike(profile, "one profile and one number of reads");

  const dilatedLayers = dilated.length;
  const shrunk = firstKernel - 1 + 2 * (2 ** (dilatedLayers + 1) - 2) + profileKernel - 1;
  const outputLength = length - shrunk - 2 * cropping;
  const sizes = { inputLength: length, outputLength, filters, dilatedLayers, firstKernel, profileKernel };
  const named: readonly (readonly [string, KerasLayer])[] = [
    ["first", first],
    ...dilated.map((layer, i) => [`dilated.${i}`, layer] as const),
    ["profile", profile],
    ["counts", counts],
  ];
  return { sizes, arrays: readArrays(file, inside, named, checkedShapes(file.path, sizes)) };
}

function checkedShapes(file: string, sizes: BpnetSizes): ReadonlyMap<string, readonly number[]> {
  try {
    return new Map(bpnet("", sizes).tensors.map(({ name, shape }) => [name.slice(1), shape]));
  } catch (cause) {
    if (!(cause instanceof InputError)) throw cause;
    throw new FormatError({ file }, cause.message, cause.hint, cause);
  }
}

function readArrays(
  file: KerasFile,
  inside: readonly string[],
  layers: readonly (readonly [string, KerasLayer])[],
  shapes: ReadonlyMap<string, readonly number[]>,
): ReadonlyMap<string, NdArray> {
  return new Map(
    layers.flatMap(([at, { name }]) => {
      const weight = valueAt(shapes, `${at}.weight`);
      const place = [...inside, name];
      // Keras stores kernels as [kernel, in, out].
      const kernel = file.weight(place, "kernel", weight.toReversed());
      return [
        [`${at}.weight`, axesReversed(kernel)] as const,
        [`${at}.bias`, file.weight(place, "bias", valueAt(shapes, `${at}.bias`))] as const,
      ];
    }),
  );
}

/**
 * The array with its axes reversed, between Keras and PyTorch layout: [k, c, o] ↔ [o, c, k], [c, o] ↔ [o, c].
 */
export function axesReversed({ shape, data }: NdArray<"float32">): NdArray<"float32"> {
  const [a = 1, b = 1, c = 1] = shape.length === 3 ? shape : [shape[0], 1, shape[1]];
  const reversed = new Float32Array(data.length);
  for (let i = 0; i < a; i++) {
    for (let j = 0; j < b; j++) {
      for (let k = 0; k < c; k++) reversed[(k * b + j) * a + i] = data[(i * b + j) * c + k];
    }
  }
  return { dtype: "float32", shape: shape.toReversed(), data: reversed };
}

const one = z.tuple([z.literal(1)]).transform(([value]) => value);
const size = (most: number) => z.number().int().positive().max(most);

/** Settings of a convolution: required values are checked, free ones returned. */
const convolution = (activation: string, dilation: number) =>
  z.object({
    filters: size(8192),
    kernel_size: z.tuple([size(1000)]).transform(([kernel]) => kernel),
    strides: one,
    padding: z.literal("valid"),
    data_format: z.literal("channels_last"),
    dilation_rate: z.tuple([z.literal(dilation)]),
    groups: z.literal(1).default(1),
    activation: z.literal(activation),
    use_bias: z.literal(true),
  });

const Cropping = z.object({
  cropping: z
    .tuple([size(1e6).or(z.literal(0)), z.number()])
    .refine(([before, after]) => before === after)
    .transform(([before]) => before),
});
const Dense = z.object({ units: size(1000), activation: z.literal("linear"), use_bias: z.literal(true) });
const Shape = z.tuple([z.null(), size(1e6), z.literal(4)]).transform(([, length]) => [length] as const);
const InputShape = z
  .object({ batch_input_shape: Shape.optional(), batch_shape: Shape.optional() })
  .transform(({ batch_input_shape, batch_shape }, { addIssue }) => {
    const shape = batch_input_shape ?? batch_shape;
    if (shape === undefined) addIssue("no shape of the input");
    return shape ?? ([0] as const);
  });

/** Layers of a model that have not been recognised yet. */
class Layers {
  private readonly left: Set<KerasLayer>;

  constructor(
    private readonly file: string,
    private readonly model: KerasModel,
  ) {
    this.left = new Set(model.layers);
  }

  /** The layer of a kind with exactly these inputs; undefined without such a layer. */
  find(kind: string, inputs: readonly KerasLayer[], fits = (_: KerasLayer) => true): KerasLayer | undefined {
    const names = inputs.map(({ name }) => name).sort();
    return [...this.left].find(
      (layer) => layer.kind === kind && String(layer.inputs.toSorted()) === String(names) && fits(layer),
    );
  }

  take(kind: string, inputs: readonly KerasLayer[]): KerasLayer {
    return this.takeWhere(kind, inputs, () => true);
  }

  takeWhere(kind: string, inputs: readonly KerasLayer[], fits: (layer: KerasLayer) => boolean): KerasLayer {
    const layer = this.find(kind, inputs, fits);
    if (layer === undefined) {
      const after = inputs.map(({ name }) => name).join(" and ");
      const where = after === "" ? "" : ` after ${after}`;
      throw new FormatError({ file: this.file }, `the model has no layer ${kind}${where}`, HINT);
    }
    this.left.delete(layer);
    return layer;
  }

  /** The settings of a layer. @throws {FormatError} when they are not what BPNet has */
  check<T>(layer: KerasLayer, form: z.ZodType<T>): T {
    const checked = form.safeParse(layer.settings);
    if (checked.success) return checked.data;
    const issue = checked.error.issues[0];
    const found = JSON.stringify(layer.settings[String(issue.path[0])]);
    throw new FormatError(
      { file: this.file },
      `the layer ${layer.name} has ${issue.path.join(".")} ${found}: ${issue.message}`,
      HINT,
    );
  }

  unlike(layer: KerasLayer, expected: string): FormatError {
    return new FormatError(
      { file: this.file },
      `the model around the layer ${layer.name} does not have ${expected}`,
      HINT,
    );
  }

  /** Checks that no layer remains and that the outputs are these layers'. */
  finish(outputs: readonly KerasLayer[]): void {
    const [extra] = this.left;
    if (extra !== undefined) {
      throw new FormatError(
        { file: this.file },
        `the model has a layer ${extra.name} that does not belong to BPNet`,
        HINT,
      );
    }
    const names = outputs.map(({ name }) => name);
    if (String(names) !== String(this.model.outputs)) {
      throw new FormatError(
        { file: this.file },
        `the model's outputs are ${this.model.outputs.join(", ")}; expected ${names.join(", ")}`,
        HINT,
      );
    }
  }
}

const HINT = "supported are the models of kundajelab/chrombpnet: bias, chrombpnet and chrombpnet_nobias";
