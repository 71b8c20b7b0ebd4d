import { expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { normal } from "../../../src/base/random.ts";
import { probingHeadLike, probingHeadLikeLogits } from "../../../src/models/baselines/networks.ts";
import * as g from "../../../src/net/graph/build.ts";
import { FreshLayers, initialValues, parameterCount } from "../../../src/net/nn/init.ts";
import { linear } from "../../../src/net/nn/linear.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";

test.each([
  [350, 2, 67_840],
  [500, 5, 68_089],
])("has the original's number of parameters for %i bases and %i outputs: %i", (length, outputs, expected) => {
  const layers = new FreshLayers();
  probingHeadLike(layers, { length, outputs });
  expect(parameterCount(layers.tensors)).toBe(expected);
});

test("equals the definition with channels first", async () => {
  const length = 45;
  const layers = new FreshLayers();
  const net = probingHeadLike(layers, { length, outputs: 2 });
  const x = g.input("x", "float32", ["b", length, 4]);
  const ours = probingHeadLikeLogits(net, x);
  const { first, position, head } = net;
  const term = g.swapLast(linear(position.spread, position.values)); // [c, l]
  const wide = g.conv(g.swapLast(x), first.weight, first.bias, { pads: [20, 20] });
  const last = [head.conv1, head.conv2, head.conv3].reduce(
    (state, { weight, bias }) => g.relu(g.conv(state, weight, bias, { pads: [1, 1] })),
    g.relu(g.add(wide, term)),
  );
  const theirs = linear(head.output, g.reduceSum(last, [2]));

  const rng = new Pcg64(8);
  const values = new Map(initialValues(layers.tensors, 0));
  const trained = Float32Array.from({ length }, () => normal(rng));
  values.set("position.values", { dtype: "float32", shape: [length, 1], data: trained });
  const program = await openProgram({ ours, theirs }, values);
  const data = Float32Array.from({ length: 3 * length * 4 }, (_, i) =>
    Number((i >> 2) % 4 === i % 4 || i % 7 === 0),
  );
  const results = await program.run({ x: { dtype: "float32", shape: [3, length, 4], data } });
  await program.close();
  expect(results.ours.shape).toEqual([3, 2]);
  results.ours.data.forEach((value, i) => {
    expect(Number(value)).toBeCloseTo(Number(results.theirs.data[i]), 4);
  });
});
