import { describe, expect, test } from "vitest";
import type { NdArray } from "../../../src/net/arrays/array.ts";
import { narrowToFloat16, widenToFloat32 } from "../../../src/net/arrays/float-conversion.ts";
import * as g from "../../../src/net/graph/build.ts";
import { graphOf } from "../../../src/net/graph/graph.ts";
import { halfConstants } from "../../../src/net/graph/peak-values.ts";
import { inHalfPrecision, quantised } from "../../../src/net/graph/quantise.ts";
import { isOp, type Sym } from "../../../src/net/graph/sym.ts";
import { linear } from "../../../src/net/nn/linear.ts";
import { checkExactProducts } from "../../../src/net/runtime/precision-device.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";
import { randomArrays } from "../random-arrays.ts";
import { evaluate, valuesOf } from "./reference.ts";

const isExact = await checkExactProducts().then(
  () => true,
  () => false,
);
const [ROWS, WIDTH, OUT] = [5, 70, 33];
const random = randomArrays(3);

const x = g.input("x", "float32", [1, "t", WIDTH]);
const layer = (name: string, inWidth = WIDTH, outWidth = OUT) => ({
  weight: g.parameter(`${name}.weight`, [outWidth, inWidth]),
  bias: g.parameter(`${name}.bias`, [outWidth]),
});
const opsOf = (...outputs: readonly Sym[]) =>
  graphOf(Object.fromEntries(outputs.map((sym, i) => [`y${i}`, sym]))).nodes.map(({ op }) => op);
const count = <T>(list: readonly T[], one: T) => list.filter((each) => each === one).length;

/** A row in steps of a 127th of its largest magnitude, by the rules of float32 arithmetic. */
function stepsOf(row: readonly number[]) {
  const scale = Math.fround(Math.max(...row.map(Math.abs)) / 127);
  const steps = row.map((value) => {
    const exact = Math.fround(value / scale);
    const below = Math.floor(exact);
    const isTie = exact - below === 0.5;
    return isTie ? below + (Math.abs(below) % 2) : Math.round(exact);
  });
  return { scale, steps };
}

const rowOf = ({ data, shape }: NdArray<"float32">, i: number) => {
  const width = shape.at(-1)!;
  return Array.from(data.subarray(i * width, (i + 1) * width));
};

describe.skipIf(!isExact)("a quantised dense layer [needs a CPU with exact 8-bit products]", () => {
  test("is the exact product of integers times both scales", async () => {
    const values = random([1, ROWS, WIDTH]);
    // The largest sum: all products have the largest magnitude.
    values.data.fill(-2, 0, WIDTH);
    values.data.fill(0, WIDTH, 2 * WIDTH);
    const weight = random([OUT, WIDTH]);
    weight.data.fill(0.7, 0, WIDTH);
    const bias = random([OUT]);
    const plain = linear(layer("a"), x);
    const [y] = quantised([plain], [plain]);
    const program = await openProgram(
      { y },
      new Map([
        ["a.weight", weight],
        ["a.bias", bias],
      ]),
    );
    const found = (await program.run({ x: values })).y as NdArray<"float32">;
    await program.close();
    expect(found.shape).toEqual([1, ROWS, OUT]);
    const columns = Array.from({ length: OUT }, (_, j) => stepsOf(rowOf(weight, j)));
    for (let i = 0; i < ROWS; i++) {
      const isZero = i === 1;
      const { scale, steps } = isZero ? { scale: 0, steps: [] } : stepsOf(rowOf(values, i));
      columns.forEach((column, j) => {
        const sum = steps.reduce((total, step, k) => total + step * column.steps[k], 0);
        const own = found.data[i * OUT + j] - bias.data[j];
        if (isZero) expect(own).toBe(0);
        else expect(Math.abs(own / (scale * column.scale) - sum)).toBeLessThan(1e-6 * 127 * 127 * WIDTH);
      });
    }
    expect(new Set(stepsOf(rowOf(values, 2)).steps).size).toBeGreaterThan(WIDTH / 2);
  });

  test("differs from float32 by about a hundredth on normal values", async () => {
    const values = random([1, 64, WIDTH]);
    const weights = new Map([
      ["a.weight", random([OUT, WIDTH])],
      ["a.bias", random([OUT])],
    ]);
    const plain = linear(layer("a"), x);
    const [y] = quantised([plain], [plain]);
    const program = await openProgram({ plain, y }, weights);
    const results = await program.run({ x: values });
    await program.close();
    const [exact, rounded] = [results.plain.data as Float32Array, results.y.data as Float32Array];
    const squares = (of: Float32Array) => of.reduce((sum, value) => sum + value ** 2, 0);
    const error = Math.sqrt(squares(rounded.map((value, i) => value - exact[i])) / squares(exact));
    expect(error).toBeGreaterThan(0.002);
    expect(error).toBeLessThan(0.02);
  });
});

const inFloat16 = (values: Float32Array) => widenToFloat32("float16", narrowToFloat16(values));

describe("a dense layer in float16", () => {
  const plain = linear(layer("a"), x);
  const [half] = inHalfPrecision([plain], [plain]);

  // ONNX Runtime's CPU provider computes these products in float32 and removes their casts: the reference
  // interpreter rounds.
  const valuesFor = (x: NdArray, weight: NdArray, bias: NdArray) =>
    evaluate([half], {
      x: valuesOf(x),
      "a.weight": valuesOf(weight),
      "a.bias": valuesOf(bias),
    })[0];

  test("is the product of factors rounded to float16, itself rounded to float16, plus the bias", () => {
    const [values, weight, bias] = [random([1, ROWS, WIDTH]), random([OUT, WIDTH]), random([OUT])];
    const found = valuesFor(values, weight, bias);
    expect(found.shape).toEqual([1, ROWS, OUT]);
    const [a, b] = [inFloat16(values.data), inFloat16(weight.data)];
    let largest = 0;
    for (let i = 0; i < ROWS; i++) {
      for (let j = 0; j < OUT; j++) {
        const product = (x: Float32Array, w: Float32Array) =>
          Array.from({ length: WIDTH }, (_, k) => x[i * WIDTH + k] * w[j * WIDTH + k]).reduce(
            (sum, term) => sum + term,
            0,
          );
        const exact = product(a, b);
        const own = found.data[i * OUT + j] - bias.data[j];
        // Half a unit in the last place.
        expect(Math.abs(own - exact)).toBeLessThan(2 ** -11 * Math.abs(exact) + 2 ** -25);
        largest = Math.max(largest, Math.abs(own - product(values.data, weight.data)));
      }
    }
    expect(largest).toBeGreaterThan(1e-3);
    expect(largest).toBeLessThan(0.05);
  });

  test("becomes infinite beyond 65,504", () => {
    const [weight, bias] = [random([OUT, WIDTH]), random([OUT])];
    weight.data.fill(1);
    const sumOf = (value: number) => {
      const x = random([1, 1, WIDTH]);
      x.data.fill(0);
      x.data[3] = value;
      return valuesFor(x, weight, bias).data[0];
    };
    expect(Math.abs(sumOf(65_000) - 65_000)).toBeLessThan(40);
    expect(sumOf(66_000)).toBe(Number.POSITIVE_INFINITY);
  });

  test("holds its weights as float16, and casts rows once for all layers that read them", () => {
    const joint = g.parameter("joint", [3 * OUT, WIDTH]);
    const [query, key] = [0, 1].map((i) =>
      linear({ weight: g.slice(joint, 0, i * OUT, (i + 1) * OUT) }, g.tanh(x)),
    );
    const small = linear(layer("small", OUT, 8), linear(layer("inner"), g.add(x, 1)));
    const outputs = inHalfPrecision([query, key, small], [query, key, small]);
    expect(halfConstants(outputs)).toBe(3 * OUT * WIDTH + OUT * WIDTH);
    expect(halfConstants([query, key, small])).toBe(0);
    const ops = opsOf(...outputs);
    expect([count(ops, "MatMul"), count(ops, "Gemm")]).toEqual([3, 1]);
    const shared = g.tanh(x);
    const both = [linear(layer("query"), shared), linear(layer("key"), shared)];
    const { nodes } = graphOf({ y: g.add(...(inHalfPrecision(both, both) as [Sym, Sym])) });
    const casts = nodes.filter((node) => isOp(node, "Cast") && node.attributes.to === "float16");
    expect(casts).toHaveLength(3);
  });
});

describe("a quantised graph", () => {
  test("rounds the rows of an activation once for all layers that read it", () => {
    const states = g.add(linear(layer("query"), x), g.tanh(linear(layer("key"), x)));
    const { nodes } = graphOf({ y: quantised([states], [states])[0] });
    const rounded = nodes.filter((node) => isOp(node, "QuantizeLinear"));
    expect(rounded.map(({ outputs }) => outputs[0].dtype).sort()).toEqual(["int8", "int8", "uint8"]);
    expect(nodes.map(({ op }) => op)).not.toContain("Gemm");
  });

  test("keeps layers behind the inner tensors, small layers, and products of weights or of activations", () => {
    const inner = linear(layer("inner"), x);
    const small = linear(layer("small", OUT, 8), inner);
    const head = linear(layer("head", 8, OUT), small);
    const filters = linear(layer("filters"), g.parameter("positions", [4, WIDTH]));
    const attention = g.matMul(inner, g.swapLast(inner));
    const states = g.add(g.reduceSum(attention, [0, 1, 2]), g.reduceSum(filters, [0, 1]));
    const [first, second] = quantised([inner, states], [head, states]);
    const ops = opsOf(first, second);
    expect([count(ops, "MatMulIntegerToFloat"), count(ops, "Gemm"), count(ops, "MatMul")]).toEqual([1, 3, 1]);
    expect(opsOf(...quantised([x], [head]))).not.toContain("MatMulIntegerToFloat");
  });

  test("reaches into the bodies of loops", () => {
    const gate = linear(layer("gate"), x);
    const { emitted } = g.scan(
      [g.fill([1, OUT], 0)],
      [gate],
      ([h], [a]) => {
        const next = g.add(g.mul(h, g.tanh(g.reduceMean(gate, [1]))), a);
        return { states: [next], emit: [next] };
      },
      { axis: 1 },
    );
    const ops = opsOf(...quantised(emitted, emitted));
    expect([count(ops, "MatMulIntegerToFloat"), count(ops, "Gemm"), count(ops, "Scan")]).toEqual([1, 0, 1]);
  });
});
