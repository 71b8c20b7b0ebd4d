import { expect, test } from "vitest";
import type { NdArray } from "../../../src/net/arrays/array.ts";
import * as g from "../../../src/net/graph/build.ts";
import { gpuForms } from "../../../src/net/graph/gpu-forms.ts";
import { graphOf } from "../../../src/net/graph/graph.ts";
import { toOnnx } from "../../../src/net/graph/onnx.ts";
import type { Op, Sym } from "../../../src/net/graph/sym.ts";
import { onnxRuntime } from "../../../src/net/runtime/onnx-runtime.ts";
import { openSession } from "../../../src/net/runtime/session.ts";
import { randomArrays } from "../random-arrays.ts";
import { opExamples } from "./op-examples.ts";
import { evaluate, valuesOf } from "./reference.ts";

const random = randomArrays(5);
const anchor = g.input("x", "float32", ["b", 3, 4]);

/** Runs the form for a GPU on the CPU. */
async function runForm(outputs: Readonly<Record<string, Sym>>, feeds: Readonly<Record<string, NdArray>>) {
  const graph = graphOf(outputs);
  const { session } = await openSession(() => toOnnx(graph, new Map(), "gpu"), {
    device: "cpu",
    refusal: (reason) => new Error(reason),
  });
  const { Tensor } = await onnxRuntime();
  const used = graph.inputs.map(({ attributes: { name } }) => {
    const { data, shape } = feeds[name];
    return [name, new Tensor("float32", data as Float32Array, shape)] as const;
  });
  const results = await session.run(Object.fromEntries(used));
  await session.release();
  return results;
}

test.each([...(Object.keys(gpuForms) as Op[]), "Pad" as const])(
  "%s for a GPU agrees with float64",
  async (op) => {
    const outputs: Record<string, Sym> = { anchor };
    opExamples[op].forEach((sym, i) => {
      outputs[`out${i}`] = sym;
    });
    const feeds = { x: random([2, 3, 4]), y: random([2, 3, 4]), row: random([4]) };
    const results = await runForm(outputs, feeds);
    const expected = evaluate(
      Object.values(outputs),
      Object.fromEntries(Object.entries(feeds).map(([name, array]) => [name, valuesOf(array)])),
    );
    Object.keys(outputs).forEach((name, i) => {
      expect(results[name].dims, name).toEqual(expected[i].shape);
      const values = Array.from(results[name].data as Float32Array);
      const worst = Math.max(...values.map((value, at) => Math.abs(value - expected[i].data[at])));
      expect(worst, name).toBeLessThan(2e-6);
    });
  },
);

test("sine and cosine for a GPU err by at most 1.2e-7 up to 5,000 radians", async () => {
  const data = Float32Array.from({ length: 200_001 }, (_, i) => (i - 100_000) / 20 + 0.001 * (i % 7));
  const x = g.input("x", "float32", ["n"]);
  const results = await runForm(
    { sin: g.sin(x), cos: g.cos(x) },
    { x: { dtype: "float32", shape: [data.length], data } },
  );
  for (const [name, exact] of [
    ["sin", Math.sin],
    ["cos", Math.cos],
  ] as const) {
    const values = results[name].data as Float32Array;
    const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(value - exact(data[i]))), 0);
    expect(worst, name).toBeLessThan(1.2e-7);
  }
});
