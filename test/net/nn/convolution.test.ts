import { expect, test } from "vitest";
import * as g from "../../../src/net/graph/build.ts";
import { countOperations } from "../../../src/net/graph/operation-count.ts";
import { gradientsOf } from "../../../src/net/graph/reverse.ts";
import type { Sym } from "../../../src/net/graph/sym.ts";
import { centre, convolution, diagonalConvolution } from "../../../src/net/nn/convolution.ts";
import { evaluate } from "../graph/reference.ts";
import { randomValues } from "../random-arrays.ts";

const random = randomValues(5);

/** Compares values and all gradients of two forms of a convolution. */
function expectEqualForms(
  { length, channels, out, kernel }: Readonly<Record<"length" | "channels" | "out" | "kernel", number>>,
  formsOf: (layer: { weight: Sym; bias: Sym }, x: Sym) => readonly [Sym, Sym],
): void {
  const x = g.input("x", "float32", ["b", channels, length]);
  const weight = g.parameter("weight", [out, channels, kernel]);
  const bias = g.parameter("bias", [out]);
  const feeds = {
    x: random([2, channels, length]),
    weight: random([out, channels, kernel]),
    bias: random([out]),
  };
  const loss = (y: Sym) => g.reduceSum(g.mul(y, g.sin(y)), [...y.shape.keys()]);
  const [ours, expected] = formsOf({ weight, bias }, x).map((y) =>
    evaluate([y, ...gradientsOf(loss(y), [x, weight, bias])], feeds),
  );
  ours.forEach(({ shape, data }, i) => {
    expect(shape).toEqual(expected[i].shape);
    expect(data.filter((value, at) => !(Math.abs(value - expected[i].data[at]) < 5e-10))).toHaveLength(0);
  });
}

test.each([
  { length: 9, channels: 3, out: 2, kernel: 3, dilation: 1 },
  { length: 14, channels: 5, out: 3, kernel: 3, dilation: 4 },
  { length: 7, channels: 4, out: 2, kernel: 7, dilation: 1 },
  { length: 5, channels: 4, out: 3, kernel: 1, dilation: 1 },
  // Winograd's form, with a full and a padded last block.
  { length: 6, channels: 128, out: 128, kernel: 3, dilation: 1 },
  { length: 11, channels: 128, out: 128, kernel: 3, dilation: 2 },
])(
  "$length × $channels, kernel $kernel, dilation $dilation: the convolution of the definition, and its gradients",
  (each) => {
    const { dilation } = each;
    expectEqualForms(each, ({ weight, bias }, x) => [
      convolution({ weight, bias }, x, { dilation }),
      g.conv(x, weight, bias, { dilation }),
    ]);
  },
);

test.each([
  { channels: 128, kernel: 3, dilation: 2, share: 2 / 3 },
  { channels: 128, kernel: 3, dilation: 7, share: (4 * 14) / (3 * 26) },
  { channels: 128, kernel: 3, dilation: 9, share: 1 },
  { channels: 64, kernel: 3, dilation: 2, share: 1 },
  { channels: 128, kernel: 5, dilation: 2, share: 1 },
])(
  "$channels channels, kernel $kernel, dilation $dilation over 40 positions take $share of the definition's products",
  ({ channels, kernel, dilation, share }) => {
    const x = g.input("x", "float32", ["b", 128, 40]);
    const weight = g.parameter("weight", [channels, 128, kernel]);
    const products = [convolution({ weight }, x, { dilation }), g.conv(x, weight, undefined, { dilation })];
    const [ours, definition] = products.map((y) => countOperations([y], { b: 2 }).products);
    expect(ours / definition).toBeCloseTo(share, 12);
  },
);

test("a kernel wider than the length is a mistake in the graph", () => {
  const weight = g.parameter("weight", [2, 3, 3]);
  const of = (length: number) =>
    convolution({ weight }, g.input("x", "float32", ["b", 3, length]), { dilation: 4 });
  expect(of(9).shape).toEqual(["b", 2, 1]);
  expect(() => of(8)).toThrow("no window of 3 positions, 4 apart, fits into a length of 8");
});

test("adds no bias without one", () => {
  const x = g.input("x", "float32", ["b", 3, 6]);
  const weight = g.parameter("weight", [2, 3, 5]);
  const forms = [convolution({ weight }, x), convolution({ weight, bias: g.fill([2], 0) }, x)];
  const [a, b] = evaluate(forms, { x: random([2, 3, 6]), weight: random([2, 3, 5]) });
  expect(a).toEqual(b);
  expect(a.shape).toEqual([2, 2, 2]);
});

test.each([
  { length: 9, channels: 3, out: 1, kernel: 4 },
  { length: 7, channels: 2, out: 1, kernel: 7 },
  { length: 5, channels: 4, out: 1, kernel: 1 },
])(
  "one output, $length × $channels, kernel $kernel: the convolution of the definition, and its gradients",
  (each) => {
    expectEqualForms(each, ({ weight, bias }, x) => [
      diagonalConvolution({ weight, bias }, x),
      g.squeeze(g.conv(x, weight, bias), 1),
    ]);
  },
);

test("the centre of an odd number of positions is one position nearer to the beginning", () => {
  const x = g.input("x", "float32", ["b", 1, 7]);
  const [even, odd] = evaluate([centre(x, 5), centre(x, 4)], {
    x: { shape: [1, 1, 7], data: Float64Array.of(0, 1, 2, 3, 4, 5, 6) },
  });
  expect([...even.data]).toEqual([1, 2, 3, 4, 5]);
  expect([...odd.data]).toEqual([1, 2, 3, 4]);
});
