import { expect, test } from "vitest";
import * as g from "../../../src/net/graph/build.ts";
import { chunksOf } from "../../../src/net/graph/dim.ts";
import { peakValues } from "../../../src/net/graph/peak-values.ts";
import { gradientsOf } from "../../../src/net/graph/reverse.ts";

const x = g.input("x", "float32", ["b", 10]);

test("two tensors of a chain are alive at once; a view costs nothing", () => {
  const chain = g.tanh(g.exp(g.sin(x)));
  expect(peakValues([chain], { b: 3 })).toBe(60);
  expect(peakValues([g.tanh(g.exp(g.reshape(g.sin(x), ["b", 5, 2])))], { b: 3 })).toBe(60);
});

test("tensors used later and outputs stay alive", () => {
  const a = g.sin(x);
  const b = g.exp(a);
  const sum = g.add(g.tanh(b), a);
  expect(peakValues([sum], { b: 1 })).toBe(30); // a, tanh b and b, or their sum
  expect(peakValues([b, sum], { b: 1 })).toBe(40);
});

test("parameters and tensors that depend only on them are not counted", () => {
  const w = g.transpose(g.parameter("w", [20, 10]), [1, 0]);
  expect(peakValues([g.matMul(x, w)], { b: 2 })).toBe(40);
});

test("a gradient keeps the tensors it needs of the forward pass alive", () => {
  let y = x;
  const w = g.parameter("w", [10, 10]);
  for (let layer = 0; layer < 8; layer++) y = g.tanh(g.matMul(y, w));
  const loss = g.reduceMean(y, [0, 1]);
  const forward = peakValues([loss], { b: 100 });
  const both = peakValues([loss, ...gradientsOf(loss, [w])], { b: 100 });
  expect(forward).toBeLessThan(2.1 * 1000);
  expect(both).toBeGreaterThan(8 * 1000);
  expect(both).toBeLessThan(13 * 1000);
});

test("evaluates sums and products of sizes, and takes a size that values determine as the largest", () => {
  const wide = g.input("wide", "float32", ["b", "t", 2]);
  expect(peakValues([g.concat([wide, wide], 1)], { b: 3, t: 5 })).toBe(60);
  const some = g.compress(wide, g.input("chosen", "bool", ["b"]), 0, "n");
  expect(peakValues([g.exp(some)], { b: 3, t: 5 })).toBe(2 * 50);
});

test("chunks are counted with the last one whole", () => {
  const tokens = g.input("tokens", "float32", ["b", "t"]);
  const chunked = g.fill([chunksOf("t", 64), 64], 1);
  expect(peakValues([g.add(chunked, g.reduceSum(tokens, [0, 1]))], { b: 1, t: 65 })).toBe(1 + 128);
});
