import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { requireMatrix } from "../../src/metrics/matrix.ts";

test("accepts a matrix that fits its shape, also an empty one", () => {
  expect(() => requireMatrix({ data: new Float32Array(6), rows: 2, columns: 3 }, "logit")).not.toThrow();
  expect(() => requireMatrix({ data: new Float64Array(0), rows: 0, columns: 3 }, "logit")).not.toThrow();
});

test("rejects sizes that do not fit and entries that are not finite", () => {
  expect(() => requireMatrix({ data: new Float32Array(5), rows: 2, columns: 3 }, "logit")).toThrow(
    /the matrix has 5 numbers; expected 2 rows of 3 columns/,
  );
  expect(() => requireMatrix({ data: new Float32Array(4), rows: -2, columns: -2 }, "logit")).toThrow(
    InputError,
  );
  expect(() => requireMatrix({ data: Float32Array.of(0, Number.NaN), rows: 2, columns: 1 }, "logit")).toThrow(
    /NaN/,
  );
});
