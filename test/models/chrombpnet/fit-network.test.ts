import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { codesOf } from "../../../src/dna/sequence/encoding.ts";
import { axesReversed } from "../../../src/models/chrombpnet/keras-bpnet.ts";
import { oneHotRows } from "../../../src/models/chrombpnet/predictor.ts";
import { readChrombpnet } from "../../../src/models/chrombpnet/read-keras.ts";
import { networkLoss } from "../../../src/models/chrombpnet/training/fit-network.ts";
import { ADAM_EPSILON } from "../../../src/models/chrombpnet/training/recipe.ts";
import { kerasNetwork } from "../../../src/models/chrombpnet/write-keras.ts";
import type { NdArray } from "../../../src/net/arrays/array.ts";
import { openTrainStep } from "../../../src/net/train/train-step.ts";
import { golden, goldenFile } from "./golden-files.ts";

interface GoldenTraining {
  readonly counts: readonly (readonly number[])[];
  readonly countsWeight: number;
  readonly losses: readonly number[];
  /** Every seventh number of each weight after the last step. */
  readonly weights: Readonly<Record<string, readonly number[]>>;
}

test("losses and weights of three steps with a frozen bias equal Keras'", async () => {
  const training: GoldenTraining = JSON.parse(
    readFileSync(new URL("../../golden/chrombpnet/training.json", import.meta.url), "utf8"),
  );
  const { bias, accessibility } = await readChrombpnet(goldenFile("chrombpnet"));
  const { sizes, arrays } = accessibility!;
  const { loss, frozen } = networkLoss("accessibility", sizes, training.countsWeight, bias);
  const trained = new Map([...arrays].map(([at, array]) => [`accessibility.${at}`, array]));
  const step = await openTrainStep({
    loss,
    trained,
    frozen,
    optimizer: { learningRate: 1e-3, epsilon: ADAM_EPSILON },
  });
  const counts: NdArray<"float32"> = {
    dtype: "float32",
    shape: [training.counts.length, sizes.outputLength],
    data: Float32Array.from(training.counts.flat()),
  };
  const x = oneHotRows(golden.sequences.map(codesOf), sizes.inputLength);
  for (const expected of training.losses) {
    const { loss: came } = await step.run({ x, counts });
    expect(Math.abs(Number(came.data[0]) - expected) / expected).toBeLessThan(1e-6);
  }
  const now = (await step.state()).arrays;
  await step.close();
  const deviations = kerasNetwork("", "accessibility", sizes).weights.flatMap(([at, layer]) => {
    const of = (name: string) => now.get(`parameter accessibility.${at}.${name}`) as NdArray<"float32">;
    const [kernel, ours] = [axesReversed(of("weight")).data, of("bias").data];
    // A constant on all logits changes no probability: its gradient is 0 but for rounding, which Adam makes
    // large.
    if (at === "profile") ours[0] = training.weights[`${layer}/bias:0`][0];
    return [
      ...training.weights[`${layer}/kernel:0`].map((value, i) => Math.abs(value - kernel[7 * i])),
      ...training.weights[`${layer}/bias:0`].map((value, i) => Math.abs(value - ours[7 * i])),
    ];
  });
  expect(deviations).toHaveLength(166);
  expect(Math.max(...deviations)).toBeLessThan(2e-6); // Adam's ε stands elsewhere in Keras
});
