import { expect, test } from "vitest";
import type { DType } from "../../../src/net/arrays/array.ts";
import * as g from "../../../src/net/graph/build.ts";
import { graphOf } from "../../../src/net/graph/graph.ts";
import { withFileTypes } from "../../../src/net/graph/load-parameters.ts";
import { peakValues } from "../../../src/net/graph/peak-values.ts";
import { printGraph } from "../../../src/net/graph/print.ts";
import type { Sym } from "../../../src/net/graph/sym.ts";
import { linear } from "../../../src/net/nn/linear.ts";

const x = g.input("x", "float32", ["b", 4]);
const layer = (name: string) => ({ weight: g.parameter(name, [4, 4]), bias: undefined });
const printed = (y: Sym) => printGraph(graphOf({ y })).split("\n");
const filesOf = (dtype: DType, ...names: readonly string[]) =>
  new Map(names.map((name) => [name, { dtype, perUse: true }]));

test("a parameter is loaded for each use, after the tensor that it is used with", () => {
  const hidden = linear(layer("a"), g.tanh(linear(layer("a"), x)));
  const [y] = withFileTypes([hidden], filesOf("bfloat16", "a"));
  expect(printed(y)).toEqual([
    "%2 [4, 4] = LoadParameter(a, x)",
    "%3 [b, 4] = Gemm(x, %2, transB)",
    "%4 [b, 4] = Tanh(%3)",
    "%6 [4, 4] = LoadParameter(a, %4)",
    "%7 [b, 4] = Gemm(%4, %6, transB)",
    "y = %7",
  ]);
});

test("a weight that only another parameter is added to is loaded after the last computed tensor", () => {
  const hidden = g.tanh(x);
  const weight = g.slice(g.parameter("a", [8, 4]), 0, 0, 4);
  const [y] = withFileTypes([g.gemm(hidden, weight)], filesOf("bfloat16", "a"));
  expect(printed(y)).toContain("%3 [8, 4] = LoadParameter(a, %1)");
});

test("rows of a table are selected before they are converted", () => {
  const rows = g.gather(g.parameter("table", [9, 4]), g.input("ids", "int32", ["b"]));
  const [y] = withFileTypes([rows], filesOf("float16", "table"));
  expect(printed(y)).toEqual([
    "%2 float16 [b, 4] = Gather(table, ids, axis=0)",
    "%3 [b, 4] = Cast(%2)",
    "y = %3",
  ]);
});

test("a parameter that is held is converted once, without an input", () => {
  const twice = linear(layer("a"), linear(layer("a"), x));
  const [y] = withFileTypes([twice], new Map([["a", { dtype: "float16", perUse: false }]]));
  expect(printed(y).filter((line) => line.includes("(a"))).toEqual(["%2 [4, 4] = Cast(a)"]);
});

test("a parameter inside a loop is loaded outside of it", () => {
  const { states } = g.scan([g.fill([1, 4], 0)], [x], ([h], [e]) => ({
    states: [g.gemm(g.add(h, e), g.parameter("a", [4, 4]))],
    emit: [],
  }));
  const lines = printed(withFileTypes([states[0]], filesOf("bfloat16", "a"))[0]);
  const load = lines.findIndex((line) => line.includes("LoadParameter(a, x)"));
  expect(load).toBeGreaterThanOrEqual(0);
  expect(lines[load]).not.toContain("|");
  expect(lines.findIndex((line) => line.includes("Scan("))).toBeGreaterThan(load);
});

test("only 16-bit weights take memory when they are loaded, one at a time", () => {
  const [a, b] = [g.parameter("a", [4, 400]), g.parameter("b", [400, 4])];
  const y = g.gemm(g.gemm(x, a), b);
  const peak = (dtype: DType) => peakValues(withFileTypes([y], filesOf(dtype, "a", "b")), { b: 1 });
  expect(peak("float32")).toBe(peakValues([y], { b: 1 }));
  expect(peak("bfloat16")).toBe(1600 + 400 + 4);
});
