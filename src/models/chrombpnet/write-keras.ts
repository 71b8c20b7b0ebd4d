import { valueAt } from "../../base/record.ts";
import { dataOf, type NdArray, ndArray } from "../../net/arrays/array.ts";
import { type Hdf5Group, writeHdf5 } from "../../net/arrays/write-hdf5.ts";
import { type BpnetSizes, lengthOfStates } from "./bpnet.ts";
import { axesReversed, type StoredBpnet } from "./keras-bpnet.ts";
import { ACCESSIBILITY_MODEL, type StoredChrombpnet } from "./read-keras.ts";

/** Keras version of the written format, that of the published models. */
const KERAS_VERSION = "2.8.0";
const VERSION = { keras_version: KERAS_VERSION, backend: "tensorflow" };

/** Name of the bias model inside a combined one: Keras' name for the first model without a name. */
const BIAS_MODEL = "model";

/**
 * Writes a ChromBPNet in the original's format, for tools that read its files. Keras 2 and 3 load a single
 * network with `compile=False`. Keras 2 loads both together, given `custom_objects={"chrombpnet_logsumexp":
 * f}` with f the log-sum-exp over the last axis, keeping the axis.
 *
 * @throws {InputError} when the file cannot be written
 */
export async function writeChrombpnet(
  path: string,
  { bias, accessibility }: StoredChrombpnet,
): Promise<void> {
  if (bias !== undefined && accessibility !== undefined) {
    const networks = [
      {
        network: kerasNetwork(ACCESSIBILITY_MODEL, "accessibility", accessibility.sizes),
        stored: accessibility,
      },
      { network: kerasNetwork(BIAS_MODEL, "bias", bias.sizes), stored: bias },
    ] as const;
    const layers = combinedLayers(networks[1].network, networks[0].network, bias.sizes.inputLength);
    const weights = networks.map(
      ({ network, stored }) => [network.name, weightsOf(network, stored)] as const,
    );
    const outputs = ["logits_profile_predictions", "logcount_predictions"];
    await write(
      path,
      modelConfig("model_1", layers, outputs),
      layers.map(layerName),
      Object.fromEntries(weights),
    );
    return;
  }
  const which = accessibility === undefined ? "bias" : "accessibility";
  const stored = accessibility ?? bias;
  const network = kerasNetwork("model", which, stored.sizes);
  const weights = network.weights.map(
    (one) => [one[1], weightsOf({ ...network, weights: [one] }, stored)] as const,
  );
  const { layers, outputs } = network;
  await write(
    path,
    modelConfig("model", layers, outputs),
    layers.map(layerName),
    Object.fromEntries(weights),
  );
}

async function write(
  path: string,
  config: object,
  layers: readonly string[],
  weights: Readonly<Record<string, Hdf5Group>>,
): Promise<void> {
  const empty = (name: string) => [name, { attributes: { weight_names: [] } }] as const;
  await writeHdf5(path, {
    attributes: { ...VERSION, model_config: JSON.stringify({ class_name: "Functional", config }) },
    groups: {
      model_weights: {
        attributes: { ...VERSION, layer_names: layers },
        groups: {
          ...Object.fromEntries([...layers, "top_level_model_weights"].map(empty)),
          ...weights,
        },
      },
    },
  });
}

/** HDF5 group of a layer, or of a nested model: a group per layer with `kernel:0` and `bias:0`. */
function weightsOf({ weights }: KerasNetwork, { arrays }: StoredBpnet): Hdf5Group {
  return {
    attributes: { weight_names: weights.flatMap(([, layer]) => [`${layer}/kernel:0`, `${layer}/bias:0`]) },
    groups: Object.fromEntries(
      weights.map(([at, layer]) => [
        layer,
        {
          arrays: {
            "kernel:0": axesReversed(float32Of(arrays, `${at}.weight`)),
            "bias:0": float32Of(arrays, `${at}.bias`),
          },
        },
      ]),
    ),
  };
}

function float32Of(arrays: ReadonlyMap<string, NdArray>, name: string): NdArray<"float32"> {
  const array = valueAt(arrays, name);
  return ndArray("float32", array.shape, dataOf(array, "float32"));
}

/** Configuration of one layer of a functional Keras model. */
type Layer = Readonly<Record<string, unknown>>;

/** Names of a network's head layers in the original. */
interface Names {
  readonly prefix: string;
  readonly profile: string;
  readonly cropped: string;
  readonly flat: string;
  readonly counts: string;
}

const BIAS_NAMES: Names = {
  prefix: "bpnet_",
  profile: "prof_out_precrop",
  cropped: "logits_profile_predictions_preflatten",
  flat: "logits_profile_predictions",
  counts: "logcount_predictions",
};
const ACCESSIBILITY_NAMES: Names = {
  prefix: "wo_bias_bpnet_",
  profile: "wo_bias_bpnet_prof_out_precrop",
  cropped: "wo_bias_bpnet_logitt_before_flatten",
  flat: "wo_bias_bpnet_logits_profile_predictions",
  counts: "wo_bias_bpnet_logcount_predictions",
};

/** Keras layers of a network, and the mapping of our arrays to them. */
export interface KerasNetwork {
  readonly name: string;
  readonly layers: readonly Layer[];
  readonly outputs: readonly [profile: string, counts: string];
  /** Layers with weights, by our names, such as `dilated.0`. */
  readonly weights: readonly (readonly [at: string, layer: string])[];
}

const layerName = (layer: Layer) => String(layer.name);

/** Keras configuration of a network, with the original's layer names. */
export function kerasNetwork(name: string, which: "bias" | "accessibility", sizes: BpnetSizes): KerasNetwork {
  const { inputLength, outputLength, filters, dilatedLayers, firstKernel, profileKernel } = sizes;
  const names = which === "bias" ? BIAS_NAMES : ACCESSIBILITY_NAMES;
  const first = `${names.prefix}1st_conv`;
  const layers: Layer[] = [
    inputLayer(inputLength),
    convolution(first, [INPUT], { filters, kernel: firstKernel, dilation: 1, activation: "relu" }),
  ];
  const dilated: string[] = [];
  let state = first;
  for (let i = 1; i <= dilatedLayers; i++) {
    const [conv, crop, sum] = [
      `${names.prefix}${i}conv`,
      `${names.prefix}${i}crop`,
      `${names.prefix}${i}sum`,
    ];
    layers.push(
      convolution(conv, [state], { filters, kernel: 3, dilation: 2 ** i, activation: "relu" }),
      cropping(crop, state, 2 ** i),
      plain("Add", sum, [conv, crop]),
    );
    dilated.push(conv);
    state = sum;
  }
  const spare = lengthOfStates(sizes) - (profileKernel - 1) - outputLength;
  layers.push(
    convolution(names.profile, [state], {
      filters: 1,
      kernel: profileKernel,
      dilation: 1,
      activation: "linear",
    }),
    cropping(names.cropped, names.profile, spare / 2),
    plain("Flatten", names.flat, [names.cropped], { data_format: "channels_last" }),
    plain("GlobalAveragePooling1D", "gap", [state], { data_format: "channels_last", keepdims: false }),
    plain("Dense", names.counts, ["gap"], { units: 1, activation: "linear", ...INITIALISED }),
  );
  return {
    name,
    layers,
    outputs: [names.flat, names.counts],
    weights: [
      ["first", first],
      ...dilated.map((layer, i) => [`dilated.${i}`, layer] as const),
      ["profile", names.profile],
      ["counts", names.counts],
    ],
  };
}

/** Name of the function that adds the counts, which a caller of Keras must supply. */
const COUNTS_FUNCTION = "chrombpnet_logsumexp";

function combinedLayers(bias: KerasNetwork, accessibility: KerasNetwork, inputLength: number) {
  const inside = ({ name, layers, outputs }: KerasNetwork): Layer => ({
    class_name: "Functional",
    name,
    config: modelConfig(name, layers, outputs),
    inbound_nodes: [[[INPUT, 0, 0, {}]]],
  });
  const both = (output: number) => [[accessibility, bias].map(({ name }) => [name, 1, output, {}])];
  return [
    inputLayer(inputLength),
    inside(accessibility),
    inside(bias),
    { ...plain("Add", "logits_profile_predictions", []), inbound_nodes: both(0) },
    { ...plain("Concatenate", "concatenate", [], { axis: -1 }), inbound_nodes: both(1) },
    plain("Lambda", "logcount_predictions", ["concatenate"], {
      function: COUNTS_FUNCTION,
      function_type: "function",
      module: null,
      output_shape: null,
      output_shape_type: "raw",
      output_shape_module: null,
      arguments: {},
    }),
  ];
}

export function modelConfig(name: string, layers: readonly Layer[], outputs: readonly string[]) {
  return {
    name,
    trainable: true,
    layers,
    input_layers: [[INPUT, 0, 0]],
    output_layers: outputs.map((output) => [output, 0, 0]),
  };
}

const INPUT = "sequence";
const INITIALISED = {
  use_bias: true,
  kernel_initializer: { class_name: "GlorotUniform", config: { seed: null } },
  bias_initializer: { class_name: "Zeros", config: {} },
};

const inputLayer = (length: number): Layer => ({
  class_name: "InputLayer",
  config: {
    batch_input_shape: [null, length, 4],
    dtype: "float32",
    sparse: false,
    ragged: false,
    name: INPUT,
  },
  name: INPUT,
  inbound_nodes: [],
});

function plain(kind: string, name: string, inputs: readonly string[], settings: object = {}): Layer {
  return {
    class_name: kind,
    config: { name, trainable: true, dtype: "float32", ...settings },
    name,
    inbound_nodes: [inputs.map((input) => [input, 0, 0, {}])],
  };
}

const cropping = (name: string, input: string, count: number) =>
  plain("Cropping1D", name, [input], { cropping: [count, count] });

function convolution(
  name: string,
  inputs: readonly string[],
  settings: {
    readonly filters: number;
    readonly kernel: number;
    readonly dilation: number;
    readonly activation: string;
  },
): Layer {
  const { filters, kernel, dilation, activation } = settings;
  return plain("Conv1D", name, inputs, {
    filters,
    kernel_size: [kernel],
    strides: [1],
    padding: "valid",
    data_format: "channels_last",
    dilation_rate: [dilation],
    groups: 1,
    activation,
    ...INITIALISED,
  });
}
