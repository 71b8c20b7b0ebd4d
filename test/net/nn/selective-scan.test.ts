import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { uniform } from "../../../src/base/random.ts";
import type { NdArray } from "../../../src/net/arrays/array.ts";
import { fill, input, MOST_STATES, scan, transpose } from "../../../src/net/graph/build.ts";
import type { Sym } from "../../../src/net/graph/sym.ts";
import { selectiveScan, selectiveStep, stableSoftplus } from "../../../src/net/nn/selective-scan.ts";
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
    const { state, y } = selectiveStep(A, h!, { x: x!, step: step!, B: B!, C: C! });
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
  return { loop: results.loop!.data as Float32Array, attention: results.attention!.data as Float32Array };
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
    const sizes = { t: 5, b: 2, e: 2, n: MOST_STATES + 3 };
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

test("softplus keeps float32's relative precision from e^-80 to 1000", async () => {
  const program = await openProgram({ y: stableSoftplus(input("x", "float32", ["n"])) });
  const data = Float32Array.from({ length: 20_001 }, (_, i) => -80 + 0.01 * i).map((x) =>
    x > 100 ? 10 * (x - 20) : x,
  );
  const { y } = await program.run({ x: { dtype: "float32", shape: [data.length], data } });
  await program.close();
  let worst = 0;
  (y!.data as Float32Array).forEach((value, i) => {
    const exact = Math.max(data[i], 0) + Math.log1p(Math.exp(-Math.abs(data[i])));
    worst = Math.max(worst, Math.abs(value / exact - 1));
  });
  expect(worst).toBeLessThan(4e-7);
});
