import type { NdArray } from "../../net/arrays/array.ts";
import { type Hdf5Group, writeHdf5 } from "../../net/arrays/write-hdf5.ts";
import type { StoredBpnet } from "./keras-bpnet.ts";
import { axesReversed } from "./keras-bpnet.ts";
import type { KerasNetwork } from "./keras-config.ts";
import { combinedLayers, kerasNetwork, layerName, modelConfig } from "./keras-config.ts";
import { ACCESSIBILITY_MODEL, type StoredChrombpnet } from "./read-keras.ts";

/** The version of Keras whose files these are like: what wrote the published models. */
const KERAS_VERSION = "2.8.0";
const VERSION = { keras_version: KERAS_VERSION, backend: "tensorflow" };

/** Names of the models inside a combined one; the original's, and what Keras calls the first model without a name. */
const BIAS_MODEL = "model";

/**
 * Writes a ChromBPNet as the original does, for tools that read its files. Keras 2 and 3 load one network with `compile=False`; both
 * together Keras 2 loads, given `custom_objects={"chrombpnet_logsumexp": f}` with f the logarithm of the sum of exponentials over the
 * last axis, which stays as an axis of one.
 *
 * @throws {InputError} when it cannot be written
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
  const stored = (accessibility ?? bias)!;
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

/** The group of a layer, or of a model inside the model: a group for each layer with `kernel:0` and `bias:0`. */
function weightsOf({ weights }: KerasNetwork, { arrays }: StoredBpnet): Hdf5Group {
  return {
    attributes: { weight_names: weights.flatMap(([, layer]) => [`${layer}/kernel:0`, `${layer}/bias:0`]) },
    groups: Object.fromEntries(
      weights.map(([at, layer]) => [
        layer,
        {
          arrays: {
            "kernel:0": axesReversed(arrays.get(`${at}.weight`) as NdArray<"float32">),
            "bias:0": arrays.get(`${at}.bias`) as NdArray<"float32">,
          },
        },
      ]),
    ),
  };
}
