import { join } from "node:path";
import { expect, test } from "vitest";
import { bpnet } from "../../../src/models/chrombpnet/bpnet.ts";
import type { StoredBpnet } from "../../../src/models/chrombpnet/keras-bpnet.ts";
import { readChrombpnet } from "../../../src/models/chrombpnet/read-keras.ts";
import { kerasNetwork, modelConfig, writeChrombpnet } from "../../../src/models/chrombpnet/write-keras.ts";
import { writeHdf5 } from "../../../src/net/arrays/write-hdf5.ts";
import { initialValues } from "../../../src/net/nn/init.ts";
import { testWithSharedData } from "../../shared-data.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { type GoldenName, goldenFile } from "./golden-files.ts";

test.each<GoldenName>(["bias", "nobias", "chrombpnet"])(
  "%s keeps every value when written and read",
  async (name) => {
    const stored = await readChrombpnet(goldenFile(name));
    const path = join(temporaryFolder(), "again.h5");
    await writeChrombpnet(path, stored);
    expect(await readChrombpnet(path)).toEqual(stored);
  },
);

const SIZES = {
  inputLength: 120,
  outputLength: 30,
  filters: 2,
  dilatedLayers: 2,
  firstKernel: 5,
  profileKernel: 7,
};

function fresh(seed = 1): StoredBpnet {
  const values = initialValues(bpnet("n", SIZES).tensors, seed);
  return { sizes: SIZES, arrays: new Map([...values].map(([name, array]) => [name.slice(2), array])) };
}

/** Writes a network with a modified configuration, and reads it. */
async function readChanged(change: (description: string) => string) {
  const { layers, outputs, weights } = kerasNetwork("model", "bias", SIZES);
  const config = JSON.stringify({ class_name: "Functional", config: modelConfig("model", layers, outputs) });
  const changed = change(config);
  expect(changed).not.toBe(config);
  const shape = new Map([...fresh().arrays].map(([name, array]) => [name, array.shape.toReversed()]));
  const zeros = (name: string) => {
    const sizes = shape.get(name)!;
    return {
      dtype: "float32" as const,
      shape: sizes,
      data: new Float32Array(sizes.reduce((a, b) => a * b, 1)),
    };
  };
  const groups = weights.map(([at, layer]) => {
    const arrays = { "kernel:0": zeros(`${at}.weight`), "bias:0": zeros(`${at}.bias`) };
    return [layer, { groups: { [layer]: { arrays } } }] as const;
  });
  const path = join(temporaryFolder(), "changed.h5");
  await writeHdf5(path, {
    attributes: { model_config: changed },
    groups: { model_weights: { groups: Object.fromEntries(groups) } },
  });
  return readChrombpnet(path);
}

test.each([
  ["another dilation", `"dilation_rate":[4]`, `"dilation_rate":[3]`, /bpnet_2conv has dilation_rate.* \[3\]/],
  ["an activation that is another", `"relu"`, `"gelu"`, /bpnet_1st_conv has activation "gelu"/],
  ["a crop that is another", `"cropping":[2,2]`, `"cropping":[2,3]`, /bpnet_1crop has cropping/],
  [
    "a layer of a kind that BPNet lacks",
    `"GlobalAveragePooling1D"`,
    `"GlobalMaxPooling1D"`,
    /no layer GlobalAveragePooling1D after bpnet_2sum/,
  ],
  ["a layer that reads another", `[["bpnet_1sum",0,0,{}]]`, `[["bpnet_1crop",0,0,{}]]`, /has no layer/],
  [
    "heads in another order",
    `[["logits_profile_predictions",0,0],["logcount_predictions",0,0]]`,
    `[["logcount_predictions",0,0],["logits_profile_predictions",0,0]]`,
    /outputs are logcount_predictions, logits_profile_predictions/,
  ],
  ["more filters than the weights have", `"filters":2`, `"filters":3`, /first.*shape|has shape/],
  ["a size of absurd magnitude", `"filters":2`, `"filters":1e300`, /filters/],
  [
    "a short input",
    `[null,120,4]`,
    `[null,80,4]`,
    /80 bases with 2 dilated layers leave .* expected -10 or an even/,
  ],
  ["no JSON", `{"class_name":"Functional"`, `{class_name:"Functional"`, /describes no functional model/],
])("%s is an error", async (_, from, to, message) => {
  await expect(readChanged((text) => text.replaceAll(from, to))).rejects.toThrow(message);
});

test("the error for missing, misshapen or unexpected weights names them", async () => {
  const path = join(temporaryFolder(), "broken.h5");
  const { sizes, arrays } = fresh();
  const wide = { dtype: "float32", shape: [3], data: new Float32Array(3) } as const;
  await writeChrombpnet(path, { bias: { sizes, arrays: new Map([...arrays, ["dilated.1.bias", wide]]) } });
  await expect(readChrombpnet(path)).rejects.toThrow("has shape [3]; expected [2] by model_config");
});

testWithSharedData("another Keras model is an error", "formats/hdf5/factornet_keras.hdf5", async (path) => {
  await expect(readChrombpnet(path)).rejects.toThrow(/model/);
});
