import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compareDevices } from "../../scripts/devices/compare.ts";
import { RECIPES } from "../../scripts/devices/recipes.ts";
import type { NdArray } from "../../src/net/arrays/array.ts";
import { input, mul } from "../../src/net/graph/build.ts";
import { openTrainStep, type TrainState } from "../../src/net/train/train-step.ts";

// Compares gradients of the recipes named by the arguments on WebGPU with those of the CPU, and trains the
// first of them for a few steps on both. Prints JSON. A separate process, because the environment selects the
// Vulkan driver.

const names = process.argv.slice(2);
const gradients = [];
for (const name of names) for await (const row of compareDevices("webgpu", name)) gradients.push(row);

const BATCHES = 4;
const folder = await mkdtemp(join(tmpdir(), "dart-eval-webgpu-training-"));
const recipe = RECIPES.find(({ name }) => name === names[0])!;
const { feeds, close, loss, trained } = await recipe.open("webgpu", folder);
const share = (of: number): NdArray => ({ dtype: "float32", shape: [], data: Float32Array.of(of) });
const half = async () => ({ ...feeds, share: share(0.5) });
const open = (device: "cpu" | "webgpu") =>
  openTrainStep({
    loss: mul(loss, input("share", "float32", [])),
    trained,
    inParts: true,
    optimizer: { learningRate: 1e-3 },
    program: { device },
  });

async function train(device: "cpu" | "webgpu") {
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

const [cpu, webgpu] = [await train("cpu"), await train("webgpu")];
await close();
await rm(folder, { recursive: true });
process.stdout.write(JSON.stringify({ gradients, cpu, webgpu }));
