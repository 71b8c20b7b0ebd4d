import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { startProgram } from "../src/base/child-program.ts";
import { Pcg64 } from "../src/base/pcg64.ts";
import {
  chrombpnetLike,
  chrombpnetLikeLogits,
  probingHeadLike,
  probingHeadLikeLogits,
} from "../src/models/baselines/networks.ts";
import { probingHead, probingInputs, probingLogits } from "../src/models/training/probing-head.ts";
import type { NdArray } from "../src/net/arrays/array.ts";
import { input, matMul } from "../src/net/graph/build.ts";
import type { Sym } from "../src/net/graph/sym.ts";
import { FreshLayers, initialValues } from "../src/net/nn/init.ts";
import { crossEntropy } from "../src/net/nn/losses.ts";
import { openProgram } from "../src/net/runtime/program.ts";
import { openTrainStep } from "../src/net/train/train-step.ts";

/** Time of one training step: forward, backward and Adam. */
export interface StepTime {
  readonly step: string;
  readonly data: string;
  /** Medians over the rounds. */
  readonly milliseconds: number;
  readonly examplesPerSecond?: number;
  readonly gflopPerSecond?: number;
  /** Eager PyTorch, interleaved with ours. */
  readonly pytorchMilliseconds?: number;
  /** PyTorch's time divided by ours. */
  readonly speedup?: number;
}

interface Contender {
  /** Name of the network in the PyTorch peer. */
  readonly name: "product" | "head" | "cnn" | "chrombpnet" | "chrombpnet-wide";
  readonly step: string;
  readonly data: string;
  readonly examples?: number;
  readonly flops?: number;
  readonly rounds: number;
  open(): Promise<{ run(): Promise<unknown>; close(): Promise<void> }>;
}

/**
 * Training steps of the heads and networks, and the machine's speed at matrix products in the same run. With
 * PYTORCH_PYTHON, a Python with PyTorch, PyTorch runs the same steps interleaved, with as many threads.
 */
export async function benchmark(): Promise<readonly StepTime[]> {
  const peer = await startPeer();
  try {
    const times: StepTime[] = [];
    for (const contender of contenders) times.push(await race(contender, peer));
    return times;
  } finally {
    await peer?.stop();
  }
}

const rng = new Pcg64(1);
const oneHot = (batch: number, length: number): NdArray => {
  const data = new Float32Array(batch * length * 4);
  for (let i = 0; i < batch * length; i++) data[4 * i + (rng.nextUint32() & 3)] = 1;
  return { dtype: "float32", shape: [batch, length, 4], data };
};
const numbers = (...shape: number[]): NdArray => ({
  dtype: "float32",
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.nextFloat64() - 0.5),
});

const contenders: readonly Contender[] = [
  {
    name: "product",
    step: "one product, for comparison",
    data: "1024 × 1024 by 1024 × 1024",
    flops: 2 * 1024 ** 3,
    rounds: 15,
    async open() {
      const sides = { a: numbers(1024, 1024), b: numbers(1024, 1024) };
      const side = (name: string) => input(name, "float32", [1024, 1024]);
      const program = await openProgram({ product: matMul(side("a"), side("b")) });
      return { run: () => program.run(sides), close: () => program.close() };
    },
  },
  {
    name: "head",
    step: "probing head",
    data: "256 × 350 bp, 75 tokens of width 768",
    examples: 256,
    rounds: 9,
    open() {
      const layers = new FreshLayers();
      const basesOf = { kind: "gather", length: 350 } as const;
      const head = probingHead(layers, { width: 768, kernel: 8, outputs: 2 });
      const { tokens, index } = probingInputs(768, basesOf);
      const bases = Int32Array.from({ length: 256 * 350 }, (_, i) => 1 + Math.floor(((i % 350) * 73) / 350));
      return training(layers, probingLogits(head, tokens, basesOf, index), 2, {
        embedding: numbers(256, 75, 768),
        index: { dtype: "int32", shape: [256, 350], data: bases },
      });
    },
  },
  {
    name: "cnn",
    step: "network like the probing head, from the sequence",
    data: "128 × 350 bp",
    examples: 128,
    rounds: 9,
    open() {
      const layers = new FreshLayers();
      const net = probingHeadLike(layers, { length: 350, outputs: 2 });
      const logits = probingHeadLikeLogits(net, input("x", "float32", ["b", 350, 4]));
      return training(layers, logits, 2, { x: oneHot(128, 350) });
    },
  },
  chrombpnet("chrombpnet", 32, 500),
  chrombpnet("chrombpnet-wide", 8, 2114),
];

function chrombpnet(name: Contender["name"], examples: number, length: number): Contender {
  return {
    name,
    step: "network like ChromBPNet, from the sequence",
    data: `${examples} × ${length.toLocaleString("en-GB")} bp`,
    examples,
    rounds: 5,
    open() {
      const layers = new FreshLayers();
      const net = chrombpnetLike(layers, { length, outputs: 5 });
      const logits = chrombpnetLikeLogits(net, input("x", "float32", ["b", length, 4]));
      return training(layers, logits, 5, { x: oneHot(examples, length) });
    },
  };
}

async function training(
  layers: FreshLayers,
  logits: Sym,
  classes: number,
  feeds: Readonly<Record<string, NdArray>>,
) {
  const batch = Object.values(feeds)[0].shape[0];
  const step = await openTrainStep({
    loss: crossEntropy(logits, input("labels", "int32", ["b"])),
    trained: initialValues(layers.tensors, 0),
    frozen: new Map(),
    optimizer: { learningRate: 1e-3 },
  });
  const labels: NdArray = {
    dtype: "int32",
    shape: [batch],
    data: Int32Array.from({ length: batch }, (_, i) => i % classes),
  };
  return { run: () => step.run({ ...feeds, labels }), close: () => step.close() };
}

/** Ours and the peer's, interleaved in each round so that load on the machine affects both. */
async function race({ name, step, data, examples, flops, rounds, open }: Contender, peer: Peer | undefined) {
  const ours = await open();
  const [mine, theirs]: [number[], number[]] = [[], []];
  await ours.run();
  await peer?.milliseconds(name);
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await ours.run();
    mine.push(performance.now() - start);
    if (peer !== undefined) theirs.push(await peer.milliseconds(name));
  }
  await ours.close();
  const milliseconds = median(mine);
  return {
    step,
    data,
    milliseconds,
    ...(examples === undefined ? {} : { examplesPerSecond: (1000 * examples) / milliseconds }),
    ...(flops === undefined ? {} : { gflopPerSecond: flops / milliseconds / 1e6 }),
    ...(peer === undefined
      ? {}
      : { pytorchMilliseconds: median(theirs), speedup: median(theirs) / milliseconds }),
  };
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];

interface Peer {
  milliseconds(name: string): Promise<number>;
  stop(): Promise<void>;
}

async function startPeer(): Promise<Peer | undefined> {
  const python = process.env.PYTORCH_PYTHON;
  if (python === undefined) return undefined;
  const script = fileURLToPath(new URL("peers/training.py", import.meta.url));
  const program = startProgram([python, script, String(availableParallelism())], { longestLine: 1000 });
  const line = async () => {
    const said = await program.nextLine();
    if (typeof said === "string") return said;
    throw new Error(`${script} ended: ${JSON.stringify(said)}`);
  };
  await line();
  return {
    async milliseconds(name) {
      program.writeLine(name);
      return Number(await line());
    },
    stop: () => program.stop(),
  };
}
