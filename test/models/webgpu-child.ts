import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compareDevices } from "../../scripts/devices/compare.ts";
import { RECIPES } from "../../scripts/devices/recipes.ts";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { normal } from "../../src/base/random.ts";
import { addExperts } from "../../src/models/language/blocks/mixture-of-experts.ts";
import { caduceus } from "../../src/models/language/caduceus.ts";
import { collate } from "../../src/models/language/collate.ts";
import { hyenadna } from "../../src/models/language/hyenadna.ts";
import { openModel } from "../../src/models/open-model.ts";
import { type GraphQuery, Programs } from "../../src/models/queries/programs.ts";
import type { NdArray } from "../../src/net/arrays/array.ts";
import * as g from "../../src/net/graph/build.ts";
import type { Sym } from "../../src/net/graph/sym.ts";
import { convolution } from "../../src/net/nn/convolution.ts";
import { openProgram } from "../../src/net/runtime/program.ts";
import { openTrainStep, type TrainState } from "../../src/net/train/train-step.ts";

// Runs graphs, models and training steps on WebGPU and on the CPU, and prints their differences as JSON. A
// separate process, because the environment selects the Vulkan driver. Compiling shaders takes most of the
// time: a session that stays open keeps those that several graphs share.

const DEVICES = ["webgpu", "cpu"] as const;
type Device = (typeof DEVICES)[number];

const normals = (rng: Pcg64, shape: readonly number[], deviation = 1): NdArray => ({
  dtype: "float32",
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => normal(rng, 0, deviation)),
});

/** Largest difference of two arrays, relative to the largest value of the second if that exceeds 1. */
function deviation(x: NdArray | undefined, y: NdArray | undefined): number {
  const [a, b] = [x!.data as Float32Array, y!.data as Float32Array];
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]))) / Math.max(1, ...b.map(Math.abs));
}

/** Deviations of many ops and of a HyenaDNA, by output. */
async function operations() {
  const rng = new Pcg64(3);
  const random = (shape: readonly number[]) => normals(rng, shape);
  const TOKENS = 70;
  const model = hyenadna.architecture(hyenadna.toys.toy, "config.json");
  const ids = g.input("ids", "int32", ["b", TOKENS]);
  const { lastHidden, logits } = model.forward({ ids }, TOKENS);
  const x = g.input("x", "float32", ["b", 3, 8]);
  const dense = (out: number, width: number) => ({ weight: g.constant(random([out, width])) });
  const experts = Array.from({ length: 4 }, () => ({ w1: dense(6, 8), w2: dense(8, 6), w3: dense(6, 8) }));
  const tokens = g.reshape(x, ["3*b", 8]);
  const outputs: Record<string, Sym> = {
    lastHidden,
    logits,
    softmax: g.softmax(x),
    gelu: g.gelu(x, "tanh"),
    erf: g.erf(x),
    norm: g.layerNormalization(x, g.reduceSum(x, [0, 1]), undefined, 1e-5),
    matMul: g.matMul(x, g.swapLast(x)),
    conv: g.conv(x, g.reshape(g.slice(g.reshape(x, ["24*b"]), 0, 0, 9), [3, 1, 3]), undefined, {
      group: 3,
      pads: [2, 0],
    }),
    // With the channels that Winograd's form needs.
    convolution: convolution(
      { weight: g.constant(normals(new Pcg64(4), [128, 128, 3])) },
      g.matMul(g.constant(normals(new Pcg64(5), [128, 3])), x),
      { dilation: 2 },
    ),
    gather: g.gather(x, g.constant({ dtype: "int32", shape: [2], data: Int32Array.of(2, 0) }), 1),
    cumSum: g.cumSum(x, 1),
    reduceMax: g.reduceMax(x, [2]),
    where: g.where(g.greater(x, 0), x, g.exp(x)),
    flip: g.flip(x, 2),
    sine: g.sin(g.mul(x, 100)),
    cosine: g.cos(g.mul(x, 100)),
    logSoftmax: g.logSoftmax(x),
    sign: g.sign(x),
    pad: g.transpose(g.pad(g.transpose(x, [1, 0, 2]), 1, 1, 2), [1, 2, 0]),
    routed: addExperts({ router: dense(4, 8), experts }, tokens, tokens, { perToken: 2, layer: "0" }),
  };
  const weights = new Map(model.tensors.map(({ name, shape }) => [name, random(shape)]));
  const derived = await model.derive!(TOKENS, async (name, rows) => {
    const array = weights.get(name)!;
    if (rows === undefined) return array;
    const step = array.data.length / array.shape[1];
    return { ...array, data: (array.data as Float32Array).slice(rows[0] * step, rows[1] * step) };
  });
  const feeds = {
    x: random([2, 3, 8]),
    ids: {
      dtype: "int32" as const,
      shape: [2, TOKENS],
      data: Int32Array.from({ length: 2 * TOKENS }, (_, i) => 7 + ((i * i) % 4)),
    },
  };
  const run = async (device: Device) => {
    const program = await openProgram(outputs, new Map([...weights, ...derived]), { device });
    const results = await program.run(feeds);
    await program.close();
    return { device: program.device, results };
  };
  const [gpu, cpu] = [await run("webgpu"), await run("cpu")];
  const deviations = Object.keys(outputs).map((name) => [
    name,
    deviation(gpu.results[name], cpu.results[name]),
  ]);
  return { device: gpu.device, deviations: Object.fromEntries(deviations) };
}

/** Deviations of Caduceus' toys, which run as linear attention on WebGPU and as loops on the CPU. */
async function bothFormsOfCaduceus() {
  const rng = new Pcg64(3);
  const rows = [0, 1].map(() => ({
    ids: Int32Array.from({ length: 130 }, () => 7 + (rng.nextUint32() & 3)),
  }));
  const forms: Record<string, string> = {};
  const query = (device: Device): GraphQuery => ({
    name: "states-and-logits",
    outputs(model, given, tokens) {
      forms[device] = given.loops ? "loops" : "attention";
      const { lastHidden, logits } = model.forward(given, tokens);
      return { states: lastHidden, logits };
    },
  });
  const deviations: Record<string, number> = {};
  for (const [name, config] of Object.entries(caduceus.toys)) {
    const model = caduceus.architecture({ ...config, n_layer: 1 }, "config.json");
    const weights = new Map(
      model.tensors.map(({ name, dtype, shape }): [string, NdArray] => {
        if (dtype !== "int64") return [name, normals(rng, shape, 0.3)];
        const data = BigInt64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
          BigInt([7, 8, 9, 10].includes(i) ? 17 - i : i),
        );
        return [name, { dtype, shape, data }];
      }),
    );
    const run = async (device: Device) => {
      const programs = new Programs(model, weights, async (tensor) => weights.get(tensor)!, { device });
      const results = await programs.run(query(device), collate(rows));
      await programs.close();
      return results;
    };
    const [gpu, cpu] = [await run("webgpu"), await run("cpu")];
    for (const output of ["states", "logits"])
      deviations[`${name} ${output}`] = deviation(gpu[output], cpu[output]);
  }
  return { forms, deviations };
}

/** Gradients of a recipe, and a few training steps of it on each device. */
async function training(name: string) {
  const gradients = [];
  for await (const row of compareDevices("webgpu", name)) gradients.push(row);

  const BATCHES = 4;
  const folder = await mkdtemp(join(tmpdir(), "dart-eval-webgpu-training-"));
  const recipe = RECIPES.find((recipe) => recipe.name === name)!;
  const { feeds, close, loss, trained } = await recipe.open("webgpu", folder);
  const share = (of: number): NdArray => ({ dtype: "float32", shape: [], data: Float32Array.of(of) });
  const half = async () => ({ ...feeds, share: share(0.5) });
  const open = (device: Device) =>
    openTrainStep({
      loss: g.mul(loss, g.input("share", "float32", [])),
      trained,
      inParts: true,
      optimizer: { learningRate: 1e-3 },
      program: { device },
    });

  async function train(device: Device) {
    const step = await open(device);
    const losses: number[] = [];
    let kept: TrainState | undefined;
    for (let batch = 0; batch < BATCHES; batch++) {
      if (batch === BATCHES - 1) kept = await step.state();
      losses.push(await step.runParts([half, half]));
    }
    const parameters = await step.parameters();
    // A failed part leaves the state unchanged.
    const failure = await step
      .runParts([half, async () => ({ ...feeds, share: share(Number.NaN) })])
      .catch((error: Error) => error.message);
    const after = await step.parameters();
    await step.close();
    const resumed = await open(device);
    resumed.restore(kept!);
    const again = await resumed.runParts([half, half]);
    await resumed.close();
    const values = (of: typeof parameters) =>
      [...of.values()].flatMap(({ data }) => [...(data as Float32Array)]);
    return {
      losses,
      failure,
      again,
      trained: values(parameters),
      unchanged: String(values(after)) === String(values(parameters)),
    };
  }

  const [webgpu, cpu] = [await train("webgpu"), await train("cpu")];
  await close();
  await rm(folder, { recursive: true });
  return { gradients, webgpu, cpu };
}

const open = await openProgram({ y: g.neg(g.input("x", "float32", [1])) }, new Map(), { device: "webgpu" });
const results = {
  operations: await operations(),
  caduceus: await bothFormsOfCaduceus(),
  training: await training("probing head, single bases"),
  half: await openModel("toy:hyenadna", { precision: "f16", device: "webgpu" }).then(
    () => undefined,
    (error: Error) => ({ name: error.name, message: error.message }),
  ),
};
await open.close();
process.stdout.write(JSON.stringify(results));
export type WebGpuResults = typeof results;
