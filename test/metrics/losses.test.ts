import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { crossEntropyOfRows, logProbabilities, logSumExp, squaredErrors } from "../../src/metrics/losses.ts";
import { testWithSharedData } from "../shared-data.ts";
import { expectClose, goldenSection, METRICS } from "./golden.ts";

test("cross-entropy: ln 4 for a uniform prediction over four classes, 0 or large for a certain one", () => {
  const logits = { data: Float32Array.of(1, 1, 1, 1, 50, 0, 0, 0, 50, 0, 0, 0), rows: 3, columns: 4 };
  const [uniform, right, wrong] = crossEntropyOfRows(logits, [2, 0, 1]);
  expect(uniform).toBeCloseTo(Math.log(4), 14);
  expect(right).toBeCloseTo(0, 14);
  expect(wrong).toBeCloseTo(50, 12);
});

test("squared errors per row", () => {
  expect([...squaredErrors([1, 2, 5], [1, 4, 2])]).toEqual([0, 4, 9]);
  expect(squaredErrors([], [])).toHaveLength(0);
});

test("rejects labels that are not classes, and lengths that differ", () => {
  const logits = { data: Float64Array.of(1, 2), rows: 1, columns: 2 };
  expect(() => crossEntropyOfRows(logits, [2])).toThrow(/0 to 1/);
  expect(() => crossEntropyOfRows(logits, [0, 1])).toThrow(InputError);
  expect(() => squaredErrors([1], [Number.NaN])).toThrow(InputError);
});

testWithSharedData("log-softmax agrees with SciPy", METRICS, (file) => {
  interface Golden {
    readonly name: string;
    readonly x: readonly (readonly number[])[];
    readonly log_softmax: readonly (readonly number[])[];
  }
  const cases = goldenSection<readonly Golden[]>(file, "log_softmax");
  for (const { name, x, log_softmax } of cases) {
    const columns = x[0].length;
    const found = logProbabilities({ data: Float64Array.from(x.flat()), rows: x.length, columns });
    log_softmax.flat().forEach((expected, i) => {
      expectClose(found.data[i], expected, { absolute: 1e-14 }, `${name}, entry ${i}`);
    });
  }
  expect(cases.length).toBe(5);
});

test("log-softmax gives probabilities that sum to 1, invariant to a shift of all logits", () => {
  const row = fc.array(fc.double({ min: -500, max: 500, noNaN: true }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(row, fc.integer({ min: -300, max: 300 }), (logits, shift) => {
      const of = (values: readonly number[]) =>
        Float64Array.from(
          logProbabilities({ data: Float64Array.from(values), rows: 1, columns: values.length }).data,
        );
      const found = of(logits);
      expect(found.reduce((total, value) => total + Math.exp(value), 0)).toBeCloseTo(1, 12);
      of(logits.map((value) => value + shift)).forEach((value, i) => {
        expect(value).toBeCloseTo(found[i], 9);
      });
    }),
  );
});

test("log-softmax does not overflow for large logits", () => {
  expect(logSumExp([1000, 1000])).toBeCloseTo(1000 + Math.LN2, 12);
  expect(logSumExp([-1000, -1000])).toBeCloseTo(-1000 + Math.LN2, 12);
  expect(logSumExp([])).toBe(Number.NEGATIVE_INFINITY);
});

test("log-softmax rejects logits that are not finite", () => {
  const data = Float32Array.of(1, Number.POSITIVE_INFINITY);
  expect(() => logProbabilities({ data, rows: 1, columns: 2 })).toThrow(InputError);
});
