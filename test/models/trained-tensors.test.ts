import { join } from "node:path";
import { expect, test } from "vitest";
import { NETWORKS } from "../../src/models/baselines/networks.ts";
import { ORIGINAL_HEAD_LAYERS, probingHead } from "../../src/models/training/probing-head.ts";
import { readLayers } from "../../src/models/training/trained-tensors.ts";
import { elementCount } from "../../src/net/arrays/array.ts";
import { writeSafetensors } from "../../src/net/arrays/safetensors.ts";
import { FreshLayers, type FreshTensor } from "../../src/net/nn/init.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const weightAndBias = (...layers: readonly string[]) =>
  layers.flatMap((layer) => [`${layer}.weight`, `${layer}.bias`]);

const HEAD = ["conv1", "conv2", "conv3", "fc1"];
const FIRST = [...weightAndBias("iconv"), "pos_emb", ...weightAndBias("pos_proj")];

/** Names in the original's state dicts, in the order in which our networks declare the same layers. */
const ORIGINALS: Readonly<Record<string, readonly string[]>> = {
  "probing-head-like": [...FIRST, ...weightAndBias(...HEAD.map((layer) => `trunk.${layer}`))],
  "chrombpnet-like": [
    ...FIRST,
    ...weightAndBias(...Array.from({ length: 7 }, (_, i) => `rconvs.${i}`), "output_layer"),
  ],
};

/** Writes a distinct value to each tensor under the given names, and reads it by ours. */
async function readByOurNames(
  tensors: readonly FreshTensor[],
  names: readonly string[],
  layers: Readonly<Record<string, string>>,
) {
  expect(names).toHaveLength(tensors.length);
  const file = join(temporaryFolder(), "checkpoint_0.safetensors");
  const stored = tensors.map(({ shape }, i) => ({
    name: names[i],
    dtype: "float32" as const,
    shape,
    data: new Float32Array(elementCount(shape)).fill(i + 1),
  }));
  const buffer = {
    name: "device_indicator",
    dtype: "float32" as const,
    shape: [0],
    data: new Float32Array(0),
  };
  await writeSafetensors(file, [...stored, buffer]);
  const read = await readLayers(file, tensors, layers);
  expect([...read.values()].map(({ data }) => data[0])).toEqual(tensors.map((_, i) => i + 1));
  expect([...read.keys()]).toEqual(tensors.map(({ name }) => name));
}

test.each(NETWORKS)("$name is read by the original's names", async ({ name, network }) => {
  const { tensors, originalLayers } = network.build({ length: 500, outputs: 5 });
  await readByOurNames(tensors, ORIGINALS[name], originalLayers!);
});

test.each([
  ["task 1", 2],
  ["task 3", 5],
  ["task 4", 1],
])("reads the probing head of %s by the original's names", async (_, outputs) => {
  const layers = new FreshLayers();
  probingHead(layers, { width: 6, kernel: 8, outputs });
  await readByOurNames(layers.tensors, weightAndBias(...HEAD), ORIGINAL_HEAD_LAYERS);
});

test("widens floats of any precision; integers and non-finite values are errors", async () => {
  const file = join(temporaryFolder(), "head.safetensors");
  const tensors = [{ name: "output.bias", shape: [2] }];
  await writeSafetensors(file, [
    { name: "fc1.bias", dtype: "float64", shape: [2], data: Float64Array.of(0.1, -2) },
  ]);
  const read = await readLayers(file, tensors, ORIGINAL_HEAD_LAYERS);
  expect(read.get("output.bias")!.data).toEqual(Float32Array.of(0.1, -2));
  await writeSafetensors(file, [{ name: "fc1.bias", dtype: "int32", shape: [2], data: Int32Array.of(1, 2) }]);
  await expect(readLayers(file, tensors, ORIGINAL_HEAD_LAYERS)).rejects.toThrow(
    /is int32; expected floating-point numbers/,
  );
  const diverged = Float32Array.of(1, Number.NaN);
  await writeSafetensors(file, [{ name: "fc1.bias", dtype: "float32", shape: [2], data: diverged }]);
  await expect(readLayers(file, tensors, ORIGINAL_HEAD_LAYERS)).rejects.toMatchObject({
    message: "has the value NaN",
    place: { file, tensor: "fc1.bias" },
  });
});
