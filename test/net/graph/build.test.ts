import { expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import * as g from "../../../src/net/graph/build.ts";
import { graphOf } from "../../../src/net/graph/graph.ts";
import { GraphError } from "../../../src/net/graph/graph-error.ts";
import { printGraph } from "../../../src/net/graph/print.ts";
import { gradientsOf } from "../../../src/net/graph/reverse.ts";
import { named } from "../../../src/net/graph/sym.ts";

const x = g.input("x", "float32", ["b", "t", 8]);

test("rejects shapes that do not match, with op and shapes", () => {
  expect(() => g.matMul(x, g.parameter("w", [9, 4]))).toThrow(
    /MatMul of float32 \[b, t, 8\] × float32 \[9, 4\]: inner axes differ: 8 is not 9/,
  );
  expect(() => g.add(x, g.parameter("w", [3]))).toThrow(/Add .* axis 2 is 8 on one side and 3 on the other/);
  expect(() => g.reshape(x, ["b", "t", 9])).toThrow(/numbers of elements differ: 8\*b\*t is not 9\*b\*t/);
  expect(() => g.split(x, 2, [3, 4])).toThrow(/do not add up/);
  expect(() => g.transpose(x, [0, 0, 1])).toThrow(/not a permutation/);
  expect(() => g.softmax(x, 3)).toThrow(/axis 3 does not exist in rank 3/);
  expect(() => g.add(x, g.input("i", "int32", ["b", "t", 8]))).toThrow(/types differ: float32 is not int32/);
  expect(() => g.slice(x, 1, 0, 9, 2)).toThrow(/a step of 2 along an axis of symbolic size t/);
});

test("checks named axes when the graph is built", () => {
  const shaped = named({ b: "b", t: "t", d: 8, h: 2, c: 4 });
  expect(shaped(g.reshape(x, ["b", "t", 2, 4]), "b t h c").shape).toEqual(["b", "t", 2, 4]);
  expect(() => shaped(x, "b t h")).toThrow(/Input gave \[b, t, 8\]; expected b t h = \[b, t, 2\] \(axis h\)/);
  expect(() => shaped(x, "b t")).toThrow(/expected b t = \[b, t\]/);
  expect(() => shaped(x, "b t q")).toThrow(/axis "q" is not among/);
});

test("does not build ops that change nothing", () => {
  expect(g.transpose(g.transpose(x, [2, 0, 1]), [1, 2, 0])).toBe(x);
  expect(g.reshape(x, ["b", "t", 8])).toBe(x);
  expect(g.slice(x, 1, 0)).toBe(x);
  expect(g.slice(x, 2, 0, 8)).toBe(x);
  expect(g.pad(x, 2, 0, 0)).toBe(x);
  expect(g.expand(x, ["b", "t", 8])).toBe(x);
  expect(g.concat([x], 0)).toBe(x);
  expect(g.cast(x, "float32")).toBe(x);
  const twice = g.reshape(g.reshape(x, ["8*b*t"]), ["b*t", 8]);
  expect(graphOf({ twice }).nodes.map(({ op }) => op)).toEqual(["Input", "Reshape"]);
});

test("prints a small graph", () => {
  const w = g.parameter("w", [3, 8]);
  const flat = g.gemm(g.reshape(x, ["b*t", 8]), w, undefined, { transB: true });
  const y = g.reshape(flat, ["b", "t", 3]);
  const { states } = g.scan(
    [g.fill(["b", 3], 0)],
    [y],
    ([h], [e]) => ({ states: [g.add(g.mul(h, 0.5), e)], emit: [] }),
    { axis: 1 },
  );
  const text = printGraph(graphOf({ last: states[0] })).replace(/_[0-9a-z]+_0/g, "");
  expect(text).toMatchInlineSnapshot(`
    "%0 [b, 3] = Fill(0)
    %2 [b*t, 8] = Reshape(x)
    %4 [b*t, 3] = Gemm(%2, w, transB)
    %5 [b, t, 3] = Reshape(%4)
    %11 [b, 3] = Scan(%0, %5)
      | %8 [b, 3] = Mul(state, 0.5)
      | %10 [b, 3] = Add(%8, element)
      | → %10
    last = %11"
  `);
});

test("a mistake in a graph is an error of its author, not of this package", () => {
  const error = errorOf(() => g.add(x, g.parameter("w", [3])));
  expect(error).toBeInstanceOf(GraphError);
  expect(error).toBeInstanceOf(InputError);
  expect(error).toMatchObject({ message: expect.not.stringContaining("internal") });
  for (const wrong of [
    () => named({ b: "b", t: "t", d: 9 })(x, "b t d"),
    () => graphOf({ y: g.add(x, g.input("x", "float32", [8])) }),
    () => g.squeeze(x, 2),
    () => g.slice(x, 1, 0, 9, 2),
    () => gradientsOf(x, [x]),
  ]) {
    expect(wrong).toThrow(GraphError);
  }
});

function errorOf(wrong: () => unknown): unknown {
  try {
    return wrong();
  } catch (error) {
    return error;
  }
}

test("rejects different tensors of one name", () => {
  const other = g.input("x", "float32", [8]);
  expect(() => graphOf({ y: g.add(x, other) })).toThrow(/two tensors named "x" differ/);
});
