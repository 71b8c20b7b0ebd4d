import { join } from "node:path";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { normal } from "../../src/base/random.ts";
import {
  chrombpnetLike,
  chrombpnetLikeLogits,
  probingHeadLike,
  probingHeadLikeLogits,
} from "../../src/models/baselines/networks.ts";
import { openCheckpointFolder } from "../../src/models/checkpoints/checkpoint-folder.ts";
import { initCheckpoint } from "../../src/models/checkpoints/init.ts";
import { bpnet } from "../../src/models/chrombpnet/bpnet.ts";
import { networkLoss } from "../../src/models/chrombpnet/training/fit-network.ts";
import type { LanguageModelCard } from "../../src/models/language/card.ts";
import { LANGUAGE_MODELS } from "../../src/models/language/catalogue.ts";
import { FineTuning } from "../../src/models/training/fine-tuning.ts";
import { probingHead, probingInputs, probingLogits } from "../../src/models/training/probing-head.ts";
import type { NdArray } from "../../src/net/arrays/array.ts";
import { input } from "../../src/net/graph/build.ts";
import type { Sym } from "../../src/net/graph/sym.ts";
import { FreshLayers, initialValues } from "../../src/net/nn/init.ts";
import { crossEntropy } from "../../src/net/nn/losses.ts";
import type { TrainingDevice } from "../../src/net/runtime/device.ts";
import type { Feeds } from "../../src/net/train/batches.ts";
import type { TrainStepRequest } from "../../src/net/train/train-step.ts";

/** Training recipes on tiny models, one batch each, for comparing devices. */

export interface TinyTraining extends Pick<TrainStepRequest, "loss" | "trained" | "frozen" | "reached"> {
  readonly feeds: Feeds;
  close(): Promise<void>;
}

/** A recipe, whose graph may depend on the device. */
export interface TinyRecipe {
  readonly name: string;
  open(device: TrainingDevice, folder: string): Promise<TinyTraining>;
}

const BASES = 24;
const SEQUENCES = ["ACGTAAAAAAAATTGCATGCAAAC", "AAAAAAACGTAACCGTAGTCAGGT", "CCCCCACGTCCCATTAGCATCCGA"];
const LABELS: NdArray = { dtype: "int32", shape: [3], data: Int32Array.of(0, 1, 1) };

/** Recipes of networks: heads, the baselines, ChromBPNet. */
export const NETWORK_RECIPES: readonly TinyRecipe[] = [
  recipe("probing head, byte pairs", (layers) => {
    const basesOf = { kind: "gather", length: BASES } as const;
    const { tokens, index } = probingInputs(6, basesOf);
    const head = probingHead(layers, { width: 6, kernel: 8, outputs: 2 });
    const places = Int32Array.from({ length: 3 * BASES }, (_, i) => 1 + Math.floor((i % BASES) / 3));
    return {
      logits: probingLogits(head, tokens, basesOf, index),
      feeds: { embedding: numbers([3, 10, 6]), index: { dtype: "int32", shape: [3, BASES], data: places } },
    };
  }),
  recipe("probing head, single bases", (layers) => {
    const basesOf = { kind: "slice", length: BASES } as const;
    const { tokens } = probingInputs(6, basesOf);
    const head = probingHead(layers, { width: 6, kernel: 8, outputs: 2 });
    return { logits: probingLogits(head, tokens, basesOf), feeds: { embedding: numbers([3, BASES + 1, 6]) } };
  }),
  recipe("CNN like the probing head", (layers) => {
    const network = probingHeadLike(layers, { length: BASES, outputs: 2 });
    const x = input("x", "float32", ["b", BASES, 4]);
    return { logits: probingHeadLikeLogits(network, x), feeds: { x: oneHot(BASES) } };
  }),
  recipe("CNN like ChromBPNet", (layers) => {
    // As many channels as Winograd's convolutions need.
    const network = chrombpnetLike(layers, { length: 280, outputs: 2, channels: 128 });
    const x = input("x", "float32", ["b", 280, 4]);
    return { logits: chrombpnetLikeLogits(network, x), feeds: { x: oneHot(280) } };
  }),
  { name: "ChromBPNet", open: async () => chrombpnet() },
];

/** Recipes of LoRA, one for each toy of a family. */
export const loraRecipes = (card: LanguageModelCard): readonly TinyRecipe[] =>
  Object.keys(card.toys).map((toy) => ({
    name: `LoRA, ${card.name}${Object.keys(card.toys).length > 1 ? ` ${toy}` : ""}`,
    open: (device, folder) => lora(card, toy, device, join(folder, device, `${card.name}-${toy}`)),
  }));

/** All recipes of the package. */
export const RECIPES: readonly TinyRecipe[] = [...NETWORK_RECIPES, ...LANGUAGE_MODELS.flatMap(loraRecipes)];

function recipe(
  name: string,
  network: (layers: FreshLayers) => { readonly logits: Sym; readonly feeds: Feeds },
): TinyRecipe {
  return {
    name,
    async open() {
      const layers = new FreshLayers();
      const { logits, feeds } = network(layers);
      return {
        loss: crossEntropy(logits, input("labels", "int32", ["b"])),
        trained: initialValues(layers.tensors, 0),
        feeds: { ...feeds, labels: LABELS },
        async close() {},
      };
    },
  };
}

function chrombpnet(): TinyTraining {
  const sizes = { inputLength: 128, outputLength: 60, firstKernel: 9, profileKernel: 13 };
  const bias = { ...sizes, dilatedLayers: 1, filters: 4 };
  const arrays = initialValues(bpnet("bias", bias).tensors, 1);
  const stored = new Map([...arrays].map(([name, array]) => [name.slice("bias.".length), array]));
  const accessibility = { ...sizes, dilatedLayers: 2, filters: 8 };
  const { tensors, loss, frozen } = networkLoss("accessibility", accessibility, 2, {
    sizes: bias,
    arrays: stored,
  });
  const reads = Float32Array.from({ length: 3 * 60 }, (_, i) => (i * i) % 7);
  return {
    loss,
    trained: initialValues(tensors, 0),
    frozen,
    feeds: { x: oneHot(128), counts: { dtype: "float32", shape: [3, 60], data: reads } },
    async close() {},
  };
}

async function lora(
  card: LanguageModelCard,
  preset: string,
  device: TrainingDevice,
  folder: string,
): Promise<TinyTraining> {
  await initCheckpoint(card, { preset, seed: 1, folder });
  const tuning = new FineTuning(
    await openCheckpointFolder(folder, [card]),
    { labels: 2, recipe: { rank: 4, alpha: 8, dropout: 0.05 }, seed: 7 },
    { device },
  );
  const feeds = tuning.feeds(SEQUENCES);
  const graph = await tuning.graph("training", feeds.ids.shape[1]);
  const rng = new Pcg64(11);
  // B is zero before training, and with it the gradient of A.
  const moved = [...tuning.readBy(graph)].map(([name, { shape, data }]) => {
    const values = Float32Array.from(data as Float32Array, (value) => value + normal(rng, 0, 0.1));
    return [name, { dtype: "float32", shape, data: values } as const] as const;
  });
  return {
    loss: crossEntropy(graph.logits, input("labels", "int32", ["b"])),
    trained: new Map(moved),
    frozen: graph.frozen,
    reached: graph.reached,
    feeds: { ...feeds, ...tuning.dropout({ epoch: 0, batch: 0 }, feeds), labels: LABELS },
    close: () => tuning.close(),
  };
}

function oneHot(length: number): NdArray {
  const rng = new Pcg64(2);
  const data = new Float32Array(3 * length * 4);
  for (let i = 0; i < 3 * length; i++) data[4 * i + (rng.nextUint32() & 3)] = 1;
  return { dtype: "float32", shape: [3, length, 4], data };
}

function numbers(shape: readonly number[]): NdArray {
  const rng = new Pcg64(1);
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => normal(rng));
  return { dtype: "float32", shape, data };
}
