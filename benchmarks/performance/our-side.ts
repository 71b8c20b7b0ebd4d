import { Pcg64 } from "../../src/base/pcg64.ts";
import {
  chrombpnetLike,
  chrombpnetLikeLogits,
  probingHeadLike,
  probingHeadLikeLogits,
} from "../../src/models/baselines/networks.ts";
import { openCheckpointFolder } from "../../src/models/checkpoints/checkpoint-folder.ts";
import { languageModelCard } from "../../src/models/language/catalogue.ts";
import { collate } from "../../src/models/language/collate.ts";
import { likelihoodQuery } from "../../src/models/queries/causal-likelihood.ts";
import { statesQuery } from "../../src/models/queries/embeddings.ts";
import { predictionQuery } from "../../src/models/queries/masked-likelihood.ts";
import { type GraphQuery, Programs } from "../../src/models/queries/programs.ts";
import { FineTuning } from "../../src/models/training/fine-tuning.ts";
import { probingHead, probingInputs, probingLogits } from "../../src/models/training/probing-head.ts";
import type { NdArray } from "../../src/net/arrays/array.ts";
import { input } from "../../src/net/graph/build.ts";
import { gradientsOf } from "../../src/net/graph/reverse.ts";
import type { Sym } from "../../src/net/graph/sym.ts";
import { FreshLayers, initialValues } from "../../src/net/nn/init.ts";
import { crossEntropy } from "../../src/net/nn/losses.ts";
import { writeArrays } from "../../src/net/train/fit-state.ts";
import { trainedSymbols } from "../../src/net/train/flat-parameters.ts";
import { openTrainStep, type TrainStep } from "../../src/net/train/train-step.ts";
import { productGflop } from "./product-gflop.ts";
import type { Runtime } from "./side.ts";
import type { MeasuredNetwork, Work } from "./works.ts";

/** A computation that is ready to run. */
export interface OpenedWork {
  /** Billions of floating-point operations in the matrix products and convolutions of one run. */
  readonly gflop: number;
  /** Outputs of one run, or the losses of three training steps without dropout, for comparison. */
  values(): Promise<Float32Array>;
  run(): Promise<void>;
  close(): Promise<void>;
}

const STEPS = 3;
const LORA = { labels: 2, recipe: { rank: 8, alpha: 16, dropout: 0.05 }, seed: 1 };

type Of<Kind extends Work["work"]> = Extract<Work, { readonly work: Kind }>;

export function openWork(work: Work, runtime: Runtime): Promise<OpenedWork> {
  if (work.work === "lora") return openLora(work, runtime);
  return work.work === "network" ? openNetwork(work, runtime) : openQuery(work, runtime);
}

const QUERIES: Readonly<Record<"forward" | "embedding" | "causal" | "masked", GraphQuery>> = {
  forward: {
    name: "forward",
    outputs: (model, given, tokens) => ({ logits: model.forward(given, tokens).logits }),
  },
  embedding: statesQuery,
  causal: likelihoodQuery,
  masked: predictionQuery,
};

async function openQuery(
  {
    work,
    family,
    folder,
    ids,
    positions = [],
    targets = [],
  }: Of<"forward" | "embedding" | "causal" | "masked">,
  runtime: Runtime,
): Promise<OpenedWork> {
  const opened = await openCheckpointFolder(folder, [languageModelCard(family)]);
  const { architecture, parameters, read, config } = opened;
  const programs = new Programs(architecture, parameters, read, runtime);
  const query = QUERIES[work];
  const [rows, tokens] = [ids.length, ids[0].length];
  const batch = collate(ids.map((row) => ({ ids: Int32Array.from(row) })));
  const more =
    work === "masked" ? { positions: ints(positions, [rows]), targets: ints(targets, [rows, 1]) } : {};
  const run = async () => Object.values(await programs.run(query, batch, more))[0];
  const length = architecture.fixedLength ? tokens : "t";
  const given = {
    ids: input("ids", "int32", ["b", length]),
    ...(architecture.takesMask ? { mask: input("mask", "float32", ["b", length]) } : {}),
  };
  return {
    gflop: productGflop(Object.values(query.outputs(architecture, given, length)), {
      b: rows,
      t: tokens,
      k: 1,
      expert: tokensOfExpert(config, rows * tokens),
    }),
    values: async () => (await run()).data as Float32Array,
    async run() {
      await run();
    },
    async close() {
      await programs.close();
      await opened.close();
    },
  };
}

/** Tokens of an expert in a mixture, if all have as many. */
function tokensOfExpert(config: Readonly<Record<string, unknown>>, tokens: number): number {
  const { num_local_experts: experts, num_experts_per_tok: perToken } = config;
  return typeof experts === "number" && typeof perToken === "number" ? (tokens * perToken) / experts : 0;
}

async function openLora({ family, folder, adapter, ids, labels }: Of<"lora">, runtime: Runtime) {
  const opened = await openCheckpointFolder(folder, [languageModelCard(family)]);
  const tuning = new FineTuning(opened, { ...LORA, device: runtime.device }, runtime);
  await tuning.save(adapter, tuning.initial());
  const [rows, tokens] = [ids.length, ids[0].length];
  const feeds = {
    ids: ints(ids.flat(), [rows, tokens]),
    mask: {
      dtype: "float32",
      shape: [rows, tokens],
      data: new Float32Array(rows * tokens).fill(1),
    } as NdArray,
    labels: ints(labels, [rows]),
  };
  const lossOf = (logits: Sym) => crossEntropy(logits, input("labels", "int32", ["b"]));
  const open = async (mode: "training" | "evaluation") => {
    const { logits, frozen, reached } = await tuning.graph(mode, tokens);
    return openTrainStep({
      loss: lossOf(logits),
      trained: tuning.readBy({ logits }),
      frozen,
      reached,
      optimizer: { learningRate: 1e-4, weightDecay: 0.01 },
      program: runtime,
    });
  };
  const { logits } = await tuning.graph("training", tokens);
  const sizes = { b: rows, t: tokens, expert: tokensOfExpert(opened.config, rows * tokens) };
  const gflop = stepGflop(lossOf(logits), tuning.readBy({ logits }).keys(), sizes);
  let step: Promise<TrainStep> | undefined;
  let batch = 0;
  return {
    gflop,
    async values() {
      const exact = await open("evaluation");
      const losses = await lossesOf(() => exact.runParts([async () => feeds]));
      await exact.close();
      return losses;
    },
    async run() {
      step ??= open("training");
      const parts = [async () => ({ ...feeds, ...tuning.dropout({ epoch: 0, batch: batch++ }, feeds) })];
      await (await step).runParts(parts);
    },
    async close() {
      await (await step)?.close();
      await tuning.close();
    },
  };
}

async function openNetwork(work: Of<"network">, runtime: Runtime): Promise<OpenedWork> {
  const { layers, logits, feeds } = networkOf(work);
  const loss = crossEntropy(logits, input("labels", "int32", ["b"]));
  const trained = initialValues(layers.tensors, 0);
  const inputs = Object.entries(feeds).map(([name, array]) => [`input ${name}`, array] as const);
  await writeArrays(work.start, new Map([...trained, ...inputs]));
  const step = await openTrainStep({
    loss,
    trained,
    optimizer: { learningRate: 1e-3 },
    program: runtime,
  });
  const labels = ints(work.labels, [work.examples]);
  const once = async () => Number((await step.run({ ...feeds, labels })).loss.data[0]);
  return {
    gflop: stepGflop(loss, trained.keys(), { b: work.examples, t: work.tokens ?? 0 }),
    values: () => lossesOf(once),
    async run() {
      await once();
    },
    close: () => step.close(),
  };
}

function networkOf({ network, examples, length, width = 0, tokens = 0 }: MeasuredNetwork) {
  const layers = new FreshLayers();
  const rng = new Pcg64(1);
  if (network === "probing-head") {
    const basesOf = { kind: "gather", length } as const;
    const head = probingHead(layers, { width, kernel: 8, outputs: 2 });
    const inputs = probingInputs(width, basesOf);
    const embedding = Float32Array.from({ length: examples * tokens * width }, () => rng.nextFloat64() - 0.5);
    // Special tokens at both ends, if the tokens are fewer than the bases.
    const inner = tokens < length ? tokens - 2 : length;
    const first = tokens < length ? 1 : 0;
    const index = Array.from(
      { length: examples * length },
      (_, i) => first + Math.floor(((i % length) * inner) / length),
    );
    return {
      layers,
      logits: probingLogits(head, inputs.tokens, basesOf, inputs.index),
      feeds: {
        embedding: { dtype: "float32", shape: [examples, tokens, width], data: embedding } as NdArray,
        index: ints(index, [examples, length]),
      },
    };
  }
  const x = input("x", "float32", ["b", length, 4]);
  const logits =
    network === "probing-head-like"
      ? probingHeadLikeLogits(probingHeadLike(layers, { length, outputs: 2 }), x)
      : chrombpnetLikeLogits(chrombpnetLike(layers, { length, outputs: 5 }), x);
  const data = new Float32Array(examples * length * 4);
  for (let i = 0; i < examples * length; i++) data[4 * i + (rng.nextUint32() & 3)] = 1;
  return {
    layers,
    logits,
    feeds: { x: { dtype: "float32", shape: [examples, length, 4], data } as NdArray },
  };
}

/** Products of a forward and a backward pass. */
function stepGflop(loss: Sym, trained: Iterable<string>, sizes: Readonly<Record<string, number>>): number {
  const symbols = trainedSymbols(loss, trained).map(({ sym }) => sym);
  return productGflop([loss, ...gradientsOf(loss, symbols)], sizes);
}

async function lossesOf(step: () => Promise<number>): Promise<Float32Array> {
  const losses = new Float32Array(STEPS);
  for (let i = 0; i < STEPS; i++) losses[i] = await step();
  return losses;
}

const ints = (values: readonly number[], shape: readonly number[]): NdArray => ({
  dtype: "int32",
  shape,
  data: Int32Array.from(values),
});
