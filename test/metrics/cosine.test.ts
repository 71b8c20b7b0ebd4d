import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { cosineDistance, paperCosineDistance } from "../../src/metrics/cosine.ts";
import { testWithSharedData } from "../shared-data.ts";
import { expectClose, goldenSection, METRICS } from "./golden.ts";

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

test("right angles, the same direction, the opposite one", () => {
  expect(cosineDistance([1, 0], [0, 5])).toBe(1);
  expect(cosineDistance([1, 2], [2, 4])).toBe(0);
  expect(cosineDistance([1, 2], [-1, -2])).toBe(2);
});

test("a zero vector has no direction", () => {
  expect(cosineDistance([0, 0], [1, 2])).toBeNaN();
  expect(cosineDistance([], [])).toBeNaN();
});

test("float32 sums cannot tell vectors apart that float64 can", () => {
  const a = [1, 1, 1, 1];
  const b = [1, 1, 1, 1.0001];
  expect(cosineDistance(a, b)).toBeGreaterThan(0);
  expect(paperCosineDistance(a, b)).not.toBeCloseTo(cosineDistance(a, b), 10);
});

test("refuses lengths that differ and entries that are not finite", () => {
  expect(() => cosineDistance([1, 2], [1])).toThrow(InputError);
  expect(() => cosineDistance([1, Number.NaN], [1, 2])).toThrow(/first vector's entry 1 /);
});

test("in [0, 2], symmetric, blind to length", () => {
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
