import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { crossEntropyOfRows, squaredErrors } from "../../src/metrics/losses.ts";

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
