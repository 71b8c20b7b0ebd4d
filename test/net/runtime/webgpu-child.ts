import { Pcg64 } from "../../../src/base/pcg64.ts";
import { normal } from "../../../src/base/random.ts";
import { addExperts } from "../../../src/models/language/blocks/mixture-of-experts.ts";
import { hyenadna } from "../../../src/models/language/hyenadna.ts";
import type { NdArray } from "../../../src/net/arrays/array.ts";
import * as g from "../../../src/net/graph/build.ts";
import type { Sym } from "../../../src/net/graph/sym.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";

// Runs graphs on WebGPU and on the CPU and prints the largest differences as JSON. A process of its own,
// since the environment at its start selects the Vulkan driver.

const rng = new Pcg64(3);
const random = (shape: readonly number[]): NdArray => ({
  dtype: "float32",
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => normal(rng)),
});

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
const run = async (device: "cpu" | "webgpu") => {
  const program = await openProgram(outputs, new Map([...weights, ...derived]), { device });
  const results = await program.run(feeds);
  await program.close();
  return { device: program.device, results };
};
const gpu = await run("webgpu");
const cpu = await run("cpu");
const deviations = Object.fromEntries(
  Object.keys(outputs).map((name) => {
    const a = gpu.results[name].data as Float32Array;
    const b = cpu.results[name].data as Float32Array;
    const scale = Math.max(1, ...b.map(Math.abs));
    return [name, Math.max(...a.map((value, i) => Math.abs(value - b[i]))) / scale];
  }),
);
process.stdout.write(JSON.stringify({ device: gpu.device, deviations }));
