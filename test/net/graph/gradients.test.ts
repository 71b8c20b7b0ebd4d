import { expect, test } from "vitest";
import type { NdArray } from "../../../src/net/arrays/array.ts";
import * as g from "../../../src/net/graph/build.ts";
import { graphOf } from "../../../src/net/graph/graph.ts";
import { gradientsOf } from "../../../src/net/graph/reverse.ts";
import type { Op, Sym } from "../../../src/net/graph/sym.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";
import { opExamples, opInputs } from "./op-examples.ts";
import { evaluate, type Values, valuesOf } from "./reference.ts";

const arrays: Readonly<Record<string, NdArray>> = opInputs(11);
const feeds = Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, valuesOf(array)]));
/** Evaluated first: binds the size b, which some examples use before an input. */
const anchor = g.input("x", "float32", ["b", 3, 4]);

/** A scalar that weights every element differently, so that errors do not cancel. */
function lossOf(example: Sym): Sym {
  const bent = g.mul(example, g.add(g.sin(g.mul(example, 3)), 0.7));
  const summed = g.reduceSum(
    bent,
    bent.shape.map((_, axis) => axis),
  );
  return g.add(summed, g.mul(g.reduceSum(anchor, [0, 1, 2]), 0));
}

/** Floating-point inputs and parameters of a loss. */
function leavesOf(loss: Sym): readonly Sym[] {
  const { inputs, parameters } = graphOf({ loss });
  const nodes = graphOf({ loss }).nodes;
  return [...inputs, ...parameters].map(({ attributes }) => {
    const node = nodes.find(
      ({ attributes: other }) => (other as { name?: string }).name === attributes.name,
    )!;
    return { node, output: 0, ...node.outputs[0] };
  });
}

/** Every node of one name is the same tensor, whose gradients are summed. */
function allOfName(loss: Sym, name: string): readonly Sym[] {
  return graphOf({ loss })
    .nodes.filter((node) => (node.attributes as { name?: string }).name === name)
    .map((node) => ({ node, output: 0, ...node.outputs[0] }));
}

function numericGradient(loss: Sym, name: string): Float64Array {
  const step = 1e-5;
  const at = (i: number, delta: number) => {
    const data = Float64Array.from(feeds[name].data);
    data[i] += delta;
    const moved: Values = { shape: feeds[name].shape, data };
    return evaluate([anchor, loss], { ...feeds, [name]: moved })[1].data[0];
  };
  return Float64Array.from(feeds[name].data, (_, i) => (at(i, step) - at(i, -step)) / (2 * step));
}

const cases = (Object.keys(opExamples) as Op[]).flatMap((op) =>
  opExamples[op].map((example, i) => [op, i, example] as const),
);

test.each(cases)(
  "the gradient through %s (example %i) is the difference quotient",
  async (_op, _i, example) => {
    const loss = lossOf(example);
    const names = [...new Set(leavesOf(loss).map(({ node }) => (node.attributes as { name: string }).name))];
    const gradients = names.map((name) => {
      const flows = gradientsOf(loss, allOfName(loss, name));
      return flows.reduce((a, b) => g.add(a, b));
    });
    const analytic = evaluate([anchor, ...gradients], feeds).slice(1);
    let compared = 0;
    names.forEach((name, i) => {
      const numeric = numericGradient(loss, name);
      const scale = Math.max(1, ...numeric.map(Math.abs));
      expect(analytic[i].shape).toEqual(feeds[name].shape);
      numeric.forEach((value, at) => {
        expect(Math.abs(analytic[i].data[at] - value) / scale, `d/d${name}[${at}]`).toBeLessThan(1e-6);
        compared++;
      });
    });
    expect(compared).toBeGreaterThan(3);

    const outputs: Record<string, Sym> = { anchor };
    gradients.forEach((sym, i) => {
      outputs[`d${i}`] = sym;
    });
    const program = await openProgram(outputs, new Map([["weight", arrays.weight]]));
    const results = await program.run(arrays);
    await program.close();
    names.forEach((name, i) => {
      const scale = Math.max(1, ...analytic[i].data.map(Math.abs));
      Array.from(results[`d${i}`].data as Float32Array).forEach((value, at) => {
        expect(Math.abs(value - analytic[i].data[at]) / scale, `float32 d/d${name}[${at}]`).toBeLessThan(
          1e-3,
        );
      });
    });
  },
);

test("gives gradient zero for a tensor that the loss does not depend on", () => {
  const x = g.input("x", "float32", ["b", 3, 4]);
  const [zero] = gradientsOf(lossOf(x), [g.input("row", "float32", [4])]);
  expect([...evaluate([zero], feeds)[0].data]).toEqual([0, 0, 0, 0]);
});

test("rejects a loss with axes", () => {
  expect(() => gradientsOf(anchor, [anchor])).toThrow(/a loss must be a scalar/);
});
