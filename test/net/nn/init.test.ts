import { expect, test } from "vitest";
import { FreshLayers, initialValues, parameterCount } from "../../../src/net/nn/init.ts";

const layers = new FreshLayers();
layers.convolution("wide", 64, 128, 9);
layers.linear("dense", 100, 7);
layers.zeros("position", [5, 1]);

test("declares the tensors of layers as PyTorch stores them", () => {
  expect(layers.tensors.map(({ name, shape }) => [name, shape])).toEqual([
    ["wide.weight", [128, 64, 9]],
    ["wide.bias", [128]],
    ["dense.weight", [7, 100]],
    ["dense.bias", [7]],
    ["position", [5, 1]],
  ]);
  expect(parameterCount(layers.tensors)).toBe(128 * 64 * 9 + 128 + 707 + 5);
});

test.each([
  ["wide.weight", 64 * 9],
  ["wide.bias", 64 * 9],
  ["dense.weight", 100],
])("%s begins even in ±1/√%i", (name, fanIn) => {
  const values = initialValues(layers.tensors, 0).get(name)!.data as Float32Array;
  const bound = 1 / Math.sqrt(fanIn);
  const n = values.length;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  const variance = values.reduce((a, b) => a + b * b, 0) / n;
  expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(Math.fround(bound));
  // five standard errors of a uniform distribution
  expect(Math.abs(mean)).toBeLessThan((5 * bound) / Math.sqrt(3 * n));
  expect(Math.abs(variance / (bound ** 2 / 3) - 1)).toBeLessThan(5 * Math.sqrt(0.8 / n));
});

test("initialises zeros with zeros", () => {
  expect([...(initialValues(layers.tensors, 3).get("position")!.data as Float32Array)]).toEqual([
    0, 0, 0, 0, 0,
  ]);
});

test("values depend on seed and name, not on other tensors", () => {
  const all = initialValues(layers.tensors, 1);
  const alone = initialValues(layers.tensors.slice(2, 3), 1);
  expect(alone.get("dense.weight")).toEqual(all.get("dense.weight"));
  expect(initialValues(layers.tensors, 2).get("dense.weight")).not.toEqual(all.get("dense.weight"));
  expect(all.get("dense.bias")!.data[0]).not.toBe(all.get("dense.weight")!.data[0]);
});
