import { expect, test } from "vitest";
import type { NdArray } from "../../../src/net/arrays/array.ts";
import * as g from "../../../src/net/graph/build.ts";
import { graphOf } from "../../../src/net/graph/graph.ts";
import type { Op, Sym } from "../../../src/net/graph/sym.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";
import { opExamples, opInputs } from "./op-examples.ts";
import { evaluate, valuesOf } from "./reference.ts";

const feeds: Readonly<Record<string, NdArray>> = opInputs(5);
/** Binds the size b, which an op alone may leave unknown. */
const anchor = g.input("x", "float32", ["b", 3, 4]);

test.each(Object.keys(opExamples) as Op[])(
  "%s on ONNX Runtime agrees with float64 arithmetic",
  async (op) => {
    const examples = opExamples[op];
    const outputs: Record<string, Sym> = { anchor };
    examples.forEach((sym, i) => {
      outputs[`out${i}`] = sym;
    });
    const graph = graphOf(outputs);
    expect(graph.nodes.map((node) => node.op)).toContain(op);
    const program = await openProgram(outputs, new Map([["weight", feeds.weight]]));
    const results = await program.run(feeds);
    await program.close();
    const expected = evaluate(
      Object.values(outputs),
      Object.fromEntries(Object.entries(feeds).map(([name, array]) => [name, valuesOf(array)])),
    );
    Object.keys(outputs).forEach((name, i) => {
      const { shape, data } = results[name];
      expect(shape, name).toEqual(expected[i].shape);
      const worst = Math.max(
        ...Array.from(data as Float32Array, (value, at) => {
          const want = expected[i].data[at];
          return Math.abs(value - want) / Math.max(1, Math.abs(want));
        }),
      );
      expect(worst, name).toBeLessThan(2e-6);
    });
  },
);
