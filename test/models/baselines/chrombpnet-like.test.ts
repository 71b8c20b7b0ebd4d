import { expect, test } from "vitest";
import { chrombpnetLike, chrombpnetLikeLogits } from "../../../src/models/baselines/networks.ts";
import * as g from "../../../src/net/graph/build.ts";
import { FreshLayers, initialValues, parameterCount } from "../../../src/net/nn/init.ts";
import { linear } from "../../../src/net/nn/linear.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";

const layers = new FreshLayers();
const net = chrombpnetLike(layers, { length: 500, outputs: 5 });

test("has the original's number of parameters", () => {
  expect(parameterCount(layers.tensors)).toBe(5_556_197);
});

test("equals the definition", async () => {
  const x = g.input("x", "float32", ["b", 500, 4]);
  const ours = chrombpnetLikeLogits(net, x);
  const term = g.swapLast(linear(net.position.spread, net.position.values));
  const first = g.relu(g.add(g.conv(g.swapLast(x), net.first.weight, net.first.bias), term));
  const last = net.dilated.reduce((state, { weight, bias }, i) => {
    const dilation = 2 ** i;
    const y = g.relu(g.conv(state, weight, bias, { dilation }));
    return g.add(g.slice(state, 2, dilation, -dilation), y);
  }, first);
  expect(last.shape).toEqual(["b", 512, 226]);
  const theirs = linear(net.output, g.reduceMean(last, [2]));
  const program = await openProgram({ ours, theirs }, initialValues(layers.tensors, 1));
  const data = Float32Array.from({ length: 2000 }, (_, i) => Number((i >> 2) % 4 === i % 4 || i % 7 === 0));
  const results = await program.run({ x: { dtype: "float32", shape: [1, 500, 4], data } });
  await program.close();
  results.ours.data.forEach((value, i) => {
    expect(Number(value)).toBeCloseTo(Number(results.theirs.data[i]), 5);
  });
});
