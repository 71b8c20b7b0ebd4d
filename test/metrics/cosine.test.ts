import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { cosineDistance, paperCosineDistance } from "../../src/metrics/cosine.ts";
import { testWithSharedData } from "../shared-data.ts";
import { expectClose, goldenSection, METRICS, ownGolden } from "./golden.ts";

testWithSharedData("agrees with SciPy in float64, and in float32 to its rounding", METRICS, (file) => {
  interface Golden {
    readonly a: readonly number[];
    readonly b: readonly number[];
    readonly float64: number;
    readonly float32: number;
  }
  const cases = goldenSection<readonly Golden[]>(file, "cosine");
  for (const { a, b, float64, float32 } of cases) {
    expectClose(cosineDistance(a, b), float64, { absolute: 5e-16 }, `float64, ${a.length} entries`);
    expectClose(paperCosineDistance(a, b), float32, { absolute: 1.5e-7 }, `float32, ${a.length} entries`);
  }
  expect(cases.length).toBe(3);
});

interface Float32Golden {
  readonly width: number;
  /** Distances of unrelated vectors, and of near ones. */
  readonly far: readonly number[];
  readonly near: readonly number[];
  /** Relative error of the dot product of a vector with itself, root mean square. */
  readonly rms: number;
}
// scripts/golden/cosine_float32.py (NumPy 1.26.3, SciPy 1.12.0, OpenBLAS 0.3.23 with AVX2)
const float32Goldens = goldenSection<readonly Float32Golden[]>(ownGolden("cosine-float32"), "cases");

/** The vectors of the script. */
function vector(width: number, seed: number): Float32Array {
  return Float32Array.from({ length: width }, (_, i) => {
    const word = (BigInt(i + 1) * 2654435761n + BigInt(seed) * BigInt(40503 * 65537)) % 2n ** 32n;
    return Number((word * 1664525n + 1013904223n) % 2n ** 32n) / 2 ** 31 - 1;
  });
}

/** The same with one float32 sum from the first entry to the last. */
function runningSums(a: Float32Array, b: Float32Array): number {
  const { fround } = Math;
  const dot = (x: Float32Array, y: Float32Array) =>
    x.reduce((sum, value, i) => fround(sum + fround(value * y[i])), 0);
  return Math.abs(1 - dot(a, b) / Math.sqrt(fround(dot(a, a) * dot(b, b))));
}

describe("SciPy's distance in float32", () => {
  test.each(float32Goldens.map((golden) => [golden.width, golden] as const))(
    "%i entries, bit for bit",
    (width, { far, near }) => {
      far.forEach((expected, seed) => {
        const a = vector(width, seed);
        expect(paperCosineDistance(a, vector(width, seed + 500))).toBe(expected);
        const step = vector(width, seed + 1000);
        const b = a.map((value, i) => value + Math.fround(step[i] * 2 ** -11));
        expect(paperCosineDistance(a, b)).toBe(near[seed]);
      });
    },
  );

  test("errs by less than 1e-7, where running sums err by 2e-7 and more", () => {
    const rms = (errors: readonly number[]) =>
      Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);
    for (const { width, rms: ofProducts } of float32Goldens.filter(({ width }) => width >= 256)) {
      const pairs = Array.from({ length: 200 }, (_, seed) => {
        const [a, step] = [vector(width, seed), vector(width, seed + 1000)];
        return { a, b: a.map((value, i) => value + Math.fround(step[i] * 2 ** -11)) };
      });
      const errors = (distance: (a: Float32Array, b: Float32Array) => number) =>
        rms(pairs.map(({ a, b }) => distance(a, b) - cosineDistance(a, b)));
      expect(errors(paperCosineDistance), `${width}`).toBeLessThan(1e-7);
      expect(errors(runningSums), `${width}`).toBeGreaterThan(2e-7);
      expect(ofProducts, `${width}`).toBeLessThan(6e-8);
    }
  });
});

test("right angles, the same direction, the opposite one", () => {
  expect(cosineDistance([1, 0], [0, 5])).toBe(1);
  expect(cosineDistance([1, 2], [2, 4])).toBe(0);
  expect(cosineDistance([1, 2], [-1, -2])).toBe(2);
});

test("is undefined for a zero vector", () => {
  expect(cosineDistance([0, 0], [1, 2])).toBeNaN();
  expect(cosineDistance([], [])).toBeNaN();
});

test("float32 sums give distance 0 where float64 sums do not", () => {
  const a = [1, 1, 1, 1];
  const b = [1, 1, 1, 1.0001];
  expect(cosineDistance(a, b)).toBeGreaterThan(0);
  expect(paperCosineDistance(a, b)).not.toBeCloseTo(cosineDistance(a, b), 10);
});

test("rejects lengths that differ and entries that are not finite", () => {
  expect(() => cosineDistance([1, 2], [1])).toThrow(InputError);
  expect(() => cosineDistance([1, Number.NaN], [1, 2])).toThrow(/first vector's entry 1 /);
});

test("is in [0, 2], symmetric, and invariant to length", () => {
  const vectors = fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })), {
    minLength: 1,
  });
  fc.assert(
    fc.property(vectors, (pairs) => {
      const a = pairs.map(([x]) => x);
      const b = pairs.map(([, y]) => y);
      fc.pre(a.some((x) => x !== 0) && b.some((y) => y !== 0));
      const distance = cosineDistance(a, b);
      expect(distance >= 0 && distance <= 2).toBe(true);
      expect(cosineDistance(b, a)).toBe(distance);
      expect(
        cosineDistance(
          a.map((x) => 3 * x),
          b,
        ),
      ).toBeCloseTo(distance, 12);
    }),
  );
});
