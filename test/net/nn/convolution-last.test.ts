import { describe, expect, test } from "vitest";
import * as g from "../../../src/net/graph/build.ts";
import { graphOf } from "../../../src/net/graph/graph.ts";
import { gradientsOf } from "../../../src/net/graph/reverse.ts";
import type { Sym } from "../../../src/net/graph/sym.ts";
import { convolutionLast } from "../../../src/net/nn/convolution-last.ts";
import { evaluate } from "../graph/reference.ts";
import { randomValues } from "../random-arrays.ts";

const random = randomValues(3);

interface Case {
  readonly length: number;
  readonly channels: number;
  readonly out: number;
  readonly kernel: number;
  readonly pads: readonly [number, number];
}

const cases: readonly Case[] = [
  { length: 9, channels: 3, out: 2, kernel: 1, pads: [0, 0] },
  { length: 5, channels: 3, out: 2, kernel: 1, pads: [1, 1] },
  { length: 7, channels: 3, out: 2, kernel: 1, pads: [0, 2] },
  { length: 11, channels: 20, out: 3, kernel: 8, pads: [0, 0] },
  { length: 11, channels: 20, out: 3, kernel: 8, pads: [1, 1] },
  { length: 2, channels: 20, out: 3, kernel: 3, pads: [1, 1] },
  { length: 14, channels: 20, out: 3, kernel: 3, pads: [2, 0] },
  // few channels: blocks of five, of four, and a length that no block divides
  { length: 10, channels: 4, out: 3, kernel: 7, pads: [3, 3] },
  { length: 13, channels: 4, out: 3, kernel: 6, pads: [0, 0] },
  { length: 11, channels: 4, out: 3, kernel: 5, pads: [2, 2] },
  { length: 30, channels: 1, out: 2, kernel: 5, pads: [2, 2] },
];

const text = ({ length, channels, kernel, pads }: Case) =>
  `${length} × ${channels}, kernel ${kernel}, padding ${pads}`;

describe.each(cases.map((each) => [text(each), each] as const))("%s", (_, each) => {
  const { length, channels, out, kernel, pads } = each;
  const x = g.input("x", "float32", ["b", length, channels]);
  const weight = g.parameter("weight", [out, channels, kernel]);
  const bias = g.parameter("bias", [out]);
  const feeds = {
    x: random([2, length, channels]),
    weight: random([out, channels, kernel]),
    bias: random([out]),
  };
  const ours = convolutionLast({ weight, bias }, x, { pads });
  const theirs = g.swapLast(g.conv(g.swapLast(x), weight, bias, { pads }));
  const lossOf = (y: Sym) => {
    const weighed = g.mul(g.relu(y), g.add(g.sin(y), 2));
    return g.reduceSum(weighed, [0, 1, 2]);
  };
  const leaves = [x, weight, bias];

  test("equals the convolution by definition", () => {
    const [a, b] = evaluate([ours, theirs], feeds);
    expect(a.shape).toEqual(b.shape);
    a.data.forEach((value, i) => {
      expect(value).toBeCloseTo(b.data[i], 10);
    });
  });

  test("has the gradients of the definition, without a scatter", () => {
    const gradients = gradientsOf(lossOf(ours), leaves);
    const expected = gradientsOf(lossOf(theirs), leaves);
    const all = evaluate([...gradients, ...expected], feeds);
    leaves.forEach((_leaf, i) => {
      expect(all[i].shape).toEqual(all[i + 3].shape);
      all[i].data.forEach((value, at) => {
        expect(value).toBeCloseTo(all[i + 3].data[at], 8);
      });
    });
    const { nodes } = graphOf({ dx: gradients[0], dw: gradients[1] });
    const products = nodes.filter(({ op }) => op === "Gemm").length;
    expect(products).toBe(3); // forward, weight, input
    expect(nodes.some(({ op }) => op.startsWith("Scatter") || op === "Conv" || op === "MatMul")).toBe(false);
  });
});

test("does not copy the input for a padded kernel of 1", () => {
  const x = g.input("x", "float32", ["b", 6, 512]);
  const y = convolutionLast(
    { weight: g.parameter("weight", [32, 512, 1]), bias: g.parameter("bias", [32]) },
    x,
    { pads: [1, 1] },
  );
  expect(y.shape).toEqual(["b", 8, 32]);
  expect(graphOf({ y }).nodes.map(({ op }) => op)).not.toContain("Pad");
});

test.each([1, 5])("adds no bias to a kernel of %i without one", (kernel) => {
  const x = g.input("x", "float32", ["b", 6, 3]);
  const weight = g.parameter("weight", [2, 3, kernel]);
  const zeros = { weight, bias: g.fill([2], 0) };
  const [a, b] = evaluate(
    [convolutionLast({ weight }, x, { pads: [1, 2] }), convolutionLast(zeros, x, { pads: [1, 2] })],
    { x: random([2, 6, 3]), weight: random([2, 3, kernel]) },
  );
  expect(a).toEqual(b);
  expect(a.shape).toEqual([2, 10 - kernel, 2]);
});
