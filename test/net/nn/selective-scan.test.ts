import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { uniform } from "../../../src/base/random.ts";
import { elementCount, type NdArray } from "../../../src/net/arrays/array.ts";
import {
  expand,
  fill,
  input,
  MAX_STATES,
  mul,
  reduceSum,
  reshape,
  scan,
  transpose,
  unsqueeze,
} from "../../../src/net/graph/build.ts";
import type { Dim } from "../../../src/net/graph/dim.ts";
import { gradientsOf } from "../../../src/net/graph/reverse.ts";
import type { Sym } from "../../../src/net/graph/sym.ts";
import {
  CHUNK,
  chunkedScan,
  type HeadSizes,
  selectiveScan,
  selectiveStep,
  stableSoftplus,
} from "../../../src/net/nn/selective-scan.ts";
import { openProgram } from "../../../src/net/runtime/program.ts";
import { plainSelectiveScan, type ScanArrays, type ScanSizes } from "./plain-selective-scan.ts";

/** Largest step of Δ·|A|: with 2 a state decays slowly, with 200 at once. */
function randomArrays({ t, b, e, n }: ScanSizes, seed: number, strongest: number): ScanArrays {
  const rng = new Pcg64(seed);
  const draw = (count: number, low: number, high: number) =>
    Float32Array.from({ length: count }, () => uniform(rng, low, high));
  return {
    A: draw(n * e, -strongest, -0.01),
    x: draw(t * b * e, -1, 1),
    step: draw(t * b * e, 0.001, 1),
    B: draw(t * b * n, -1, 1),
    C: draw(t * b * n, -1, 1),
  };
}

/** Both forms on ONNX Runtime. */
async function bothForms({ t, b, e, n }: ScanSizes, arrays: ScanArrays) {
  const of = (name: string, shape: readonly number[]) => input(name, "float32", shape);
  const [A, x, step] = [of("A", [n, e]), of("x", [t, b, e]), of("step", [t, b, e])];
  const [B, C] = [of("B", [t, b, n]), of("C", [t, b, n])];
  const loop = scan([fill([b, n, e], 0)], [x, step, B, C], ([h], [x, step, B, C]) => {
    const { state, y } = selectiveStep(A, h, { x, step, B, C });
    return { states: [state], emit: [y] };
  });
  const rowsFirst = (of: Sym) => transpose(of, [1, 0, 2]);
  const whole = { x: rowsFirst(x), step: rowsFirst(step), B: rowsFirst(B), C: rowsFirst(C) };
  const attention = rowsFirst(selectiveScan(A, whole));
  const program = await openProgram({ loop: loop.emitted[0], attention }, new Map(), { threads: 1 });
  const feed = (data: Float32Array, shape: readonly number[]): NdArray => ({ dtype: "float32", shape, data });
  const results = await program.run({
    A: feed(arrays.A, [n, e]),
    x: feed(arrays.x, [t, b, e]),
    step: feed(arrays.step, [t, b, e]),
    B: feed(arrays.B, [t, b, n]),
    C: feed(arrays.C, [t, b, n]),
  });
  await program.close();
  return { loop: results.loop.data as Float32Array, attention: results.attention.data as Float32Array };
}

function furthest(values: Float32Array, from: ArrayLike<number>): number {
  expect(values.length).toBe(from.length);
  return Math.max(...values.map((value, i) => Math.abs(value - from[i])));
}

describe("selective scan", () => {
  test("equals the recurrence, by a loop and by linear attention, for any sizes", async () => {
    const size = (max: number) => fc.integer({ min: 1, max });
    await fc.assert(
      fc.asyncProperty(
        fc.record({ t: size(21), b: size(3), e: size(5), n: size(4) }),
        fc.constantFrom(0.1, 2, 200),
        size(1000),
        async (sizes, strongest, seed) => {
          const arrays = randomArrays(sizes, seed, strongest);
          const plain = plainSelectiveScan(sizes, arrays);
          const { loop, attention } = await bothForms(sizes, arrays);
          expect(furthest(loop, plain)).toBeLessThan(5e-6);
          expect(furthest(attention, plain)).toBeLessThan(5e-6);
        },
      ),
      { numRuns: 40, seed: 1 },
    );
  });

  test.each([0.1, 16, 1000])("over 300 tokens, A down to -%d", async (strongest) => {
    const sizes = { t: 300, b: 2, e: 32, n: 16 };
    const arrays = randomArrays(sizes, 7, strongest);
    const plain = plainSelectiveScan(sizes, arrays);
    const { loop, attention } = await bothForms(sizes, arrays);
    const scale = Math.max(1, ...plain.map(Math.abs));
    expect(furthest(loop, plain)).toBeLessThan(1e-5 * scale);
    expect(furthest(attention, loop)).toBeLessThan(1e-5 * scale);
  });

  test("more states than the operator takes are computed in groups", async () => {
    const sizes = { t: 5, b: 2, e: 2, n: MAX_STATES + 3 };
    const arrays = randomArrays(sizes, 3, 2);
    const { attention } = await bothForms(sizes, arrays);
    expect(furthest(attention, plainSelectiveScan(sizes, arrays))).toBeLessThan(2e-5);
  });

  test("a step of 0 leaves the state unchanged", async () => {
    const sizes = { t: 4, b: 1, e: 1, n: 1 };
    const ones = new Float32Array(4).fill(1);
    const arrays = { A: Float32Array.of(-1), x: ones, step: Float32Array.of(0, 1, 0, 0), B: ones, C: ones };
    const { loop, attention } = await bothForms(sizes, arrays);
    expect([...loop]).toEqual([0, 1, 1, 1]);
    expect([...attention]).toEqual([0, 1, 1, 1]);
  });
});

/** Inputs of a scan with heads, rows first: A [h], x [b, t, e], step [b, t, h], B and C [b, t, gn]. */
function headInputs({ heads: h, headWidth: p, groups: g, states: n }: HeadSizes) {
  const rows = (name: string, width: number) => input(name, "float32", ["b", "t", width]);
  return {
    A: input("A", "float32", [h]),
    x: rows("x", h * p),
    step: rows("step", h),
    B: rows("B", g * n),
    C: rows("C", g * n),
  };
}

function randomFeeds(sizes: HeadSizes, t: number, seed: number, strongest: number) {
  const rng = new Pcg64(seed);
  const { A, ...rows } = headInputs(sizes);
  const draw = (shape: readonly number[], low: number, high: number): NdArray<"float32"> => ({
    dtype: "float32",
    shape,
    data: Float32Array.from({ length: elementCount(shape) }, () => uniform(rng, low, high)),
  });
  const along = ({ shape }: Sym, low: number) => draw([2, t, shape[2] as number], low, 1);
  return {
    A: draw(A.shape as readonly number[], -strongest, -0.01),
    x: along(rows.x, -1),
    step: along(rows.step, 0.001),
    B: along(rows.B, -1),
    C: along(rows.C, -1),
  };
}

/** The recurrence by definition, one row and one group at a time: y [b, t, e]. */
function plainHeads(
  { heads: h, headWidth: p, groups: g, states: n }: HeadSizes,
  feeds: ReturnType<typeof randomFeeds>,
) {
  const [b, t] = feeds.x.shape;
  const width = (h * p) / g;
  const y = new Float64Array(b * t * h * p);
  for (let row = 0; row < b; row++) {
    for (let group = 0; group < g; group++) {
      const take = (count: number, from: (token: number, i: number) => number) =>
        Float32Array.from({ length: t * count }, (_, at) =>
          from(row * t + Math.floor(at / count), at % count),
        );
      const headOf = (channel: number) => Math.floor((group * width + channel) / p);
      const part = plainSelectiveScan(
        { t, b: 1, e: width, n },
        {
          A: Float32Array.from({ length: n * width }, (_, at) => feeds.A.data[headOf(at % width)]),
          x: take(width, (token, i) => feeds.x.data[token * h * p + group * width + i]),
          step: take(width, (token, i) => feeds.step.data[token * h + headOf(i)]),
          B: take(n, (token, i) => feeds.B.data[(token * g + group) * n + i]),
          C: take(n, (token, i) => feeds.C.data[(token * g + group) * n + i]),
        },
      );
      part.forEach((value, at) => {
        y[(row * t + Math.floor(at / width)) * h * p + group * width + (at % width)] = value;
      });
    }
  }
  return y;
}

describe("a scan in chunks", () => {
  const sizes = { heads: 4, headWidth: 3, groups: 2, states: 5 };

  test("equals the recurrence inside chunks, at their ends and across them", async () => {
    const { A, ...rows } = headInputs(sizes);
    const program = await openProgram({ y: chunkedScan(A, sizes, rows) }, new Map(), { threads: 1 });
    for (const t of [1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7]) {
      for (const strongest of [0.01, 2, 1000]) {
        const feeds = randomFeeds(sizes, t, t, strongest);
        const { y } = await program.run(feeds);
        const plain = plainHeads(sizes, feeds);
        const scale = Math.max(1, ...plain.map(Math.abs));
        expect(furthest(y.data as Float32Array, plain)).toBeLessThan(2e-6 * scale);
      }
    }
    await program.close();
  });

  test("keeps the digits of slow decay after a token that resets the state", async () => {
    const one = { heads: 1, headWidth: 1, groups: 1, states: 1 };
    const { A, ...rows } = headInputs(one);
    const program = await openProgram({ y: chunkedScan(A, one, rows) }, new Map(), { threads: 1 });
    const column = (values: readonly number[]): NdArray<"float32"> => ({
      dtype: "float32",
      shape: [1, 3, 1],
      data: Float32Array.from(values),
    });
    const ones = column([1, 1, 1]);
    const feeds = { A: { ...ones, shape: [1], data: Float32Array.of(-1) }, x: ones, B: ones, C: ones };
    const { y } = await program.run({ ...feeds, step: column([1, 100_000, 0.001]) });
    await program.close();
    const last = 0.001 + Math.exp(-0.001) * 100_000;
    expect(Math.abs((y.data[2] as number) / last - 1)).toBeLessThan(2e-7);
  });

  test("has the gradients of the scan by linear attention across chunks", async () => {
    const one = { ...sizes, groups: 1 };
    const inputs = headInputs(one);
    const { A, x, step, B, C } = inputs;
    const perChannel = (of: Sym, leading: readonly Dim[]) =>
      reshape(expand(unsqueeze(of, leading.length + 1), [...leading, 4, 3]), [...leading, 12]);
    const whole = selectiveScan(expand(perChannel(A, []), [5, 12]), {
      x,
      B,
      C,
      step: perChannel(step, ["b", "t"]),
    });
    const gradients = (y: Sym) => gradientsOf(reduceSum(mul(y, y), [0, 1, 2]), [A, x, step, B, C]);
    const named = (prefix: string, syms: readonly Sym[]) =>
      Object.fromEntries(syms.map((sym, i) => [`${prefix}${i}`, sym]));
    const outputs = {
      ...named("chunked", gradients(chunkedScan(A, one, { x, step, B, C }))),
      ...named("whole", gradients(whole)),
    };
    const program = await openProgram(outputs, new Map(), { threads: 1 });
    const results = await program.run(randomFeeds(one, 2 * CHUNK + 5, 11, 2));
    await program.close();
    for (let i = 0; i < 5; i++) {
      const expected = results[`whole${i}`].data as Float32Array;
      const scale = Math.max(1, ...expected.map(Math.abs));
      expect(furthest(results[`chunked${i}`].data as Float32Array, expected)).toBeLessThan(5e-6 * scale);
    }
  });
});

test("softplus keeps float32's relative precision from e^-80 to 1000", async () => {
  const program = await openProgram({ y: stableSoftplus(input("x", "float32", ["n"])) });
  const data = Float32Array.from({ length: 20_001 }, (_, i) => -80 + 0.01 * i).map((x) =>
    x > 100 ? 10 * (x - 20) : x,
  );
  const { y } = await program.run({ x: { dtype: "float32", shape: [data.length], data } });
  await program.close();
  let worst = 0;
  (y.data as Float32Array).forEach((value, i) => {
    const exact = Math.max(data[i], 0) + Math.log1p(Math.exp(-Math.abs(data[i])));
    worst = Math.max(worst, Math.abs(value / exact - 1));
  });
  expect(worst).toBeLessThan(4e-7);
});
