import { expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { normal } from "../../../src/base/random.ts";
import * as g from "../../../src/net/graph/build.ts";
import { gradientsOf } from "../../../src/net/graph/reverse.ts";
import type { Sym } from "../../../src/net/graph/sym.ts";
import { diagonalConvolution } from "../../../src/net/nn/convolution-last.ts";
import { evaluate, type Values } from "../graph/reference.ts";

const rng = new Pcg64(5);
const random = (shape: readonly number[]): Values => ({
  shape,
  data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => normal(rng)),
});

test.each([
  { length: 9, channels: 3, kernel: 4 },
  { length: 7, channels: 2, kernel: 7 },
  { length: 5, channels: 4, kernel: 1 },
])("$length × $channels, kernel $kernel: the convolution of the definition, and its gradients", (each) => {
  const { length, channels, kernel } = each;
  const x = g.input("x", "float32", ["b", length, channels]);
  const weight = g.parameter("weight", [1, channels, kernel]);
  const bias = g.parameter("bias", [1]);
  const feeds = {
    x: random([2, length, channels]),
    weight: random([1, channels, kernel]),
    bias: random([1]),
  };
  const ours = diagonalConvolution({ weight, bias }, x);
  const theirs = g.squeeze(g.conv(g.swapLast(x), weight, bias), 1);
  const loss = (y: Sym) => g.reduceSum(g.mul(y, g.sin(y)), [0, 1]);
  const leaves = [x, weight, bias];
  const all = (y: Sym) => evaluate([y, ...gradientsOf(loss(y), leaves)], feeds);
  const expected = all(theirs);
  all(ours).forEach(({ shape, data }, i) => {
    expect(shape).toEqual(expected[i].shape);
    data.forEach((value, at) => {
      expect(value).toBeCloseTo(expected[i].data[at], 9);
    });
  });
});
