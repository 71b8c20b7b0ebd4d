import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { symmetricEigen } from "../../src/metrics/symmetric-eigen.ts";

const times = (matrix: readonly Float64Array[], vector: Float64Array) =>
  matrix.map((row) => row.reduce((total, value, i) => total + value * vector[i], 0));

function check(matrix: readonly Float64Array[]): void {
  const d = matrix.length;
  const scale = Math.max(0, ...matrix.map((row) => Math.max(...row.map(Math.abs))));
  const { values, vectors } = symmetricEigen(matrix.map((row) => row.slice()));
  for (let k = 0; k < d; k++) {
    const image = times(matrix, vectors[k]);
    for (let i = 0; i < d; i++) {
      expect(Math.abs(image[i] - values[k] * vectors[k][i])).toBeLessThanOrEqual(1e-13 * scale * d);
    }
    for (let l = 0; l < d; l++) {
      const product = vectors[k].reduce((total, value, i) => total + value * vectors[l][i], 0);
      expect(product).toBeCloseTo(k === l ? 1 : 0, 12);
    }
    if (k > 0) expect(values[k]).toBeLessThanOrEqual(values[k - 1]);
  }
}

function symmetric(d: number, entries: readonly number[]): Float64Array[] {
  const matrix = Array.from({ length: d }, () => new Float64Array(d));
  let next = 0;
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      matrix[i][j] = entries[next++ % entries.length];
      matrix[j][i] = matrix[i][j];
    }
  }
  return matrix;
}

test("two by two, by hand", () => {
  const { values, vectors } = symmetricEigen([Float64Array.of(2, 1), Float64Array.of(1, 2)]);
  expect([...values]).toEqual([expect.closeTo(3, 14), expect.closeTo(1, 14)]);
  expect(vectors[0][0] * vectors[0][1]).toBeCloseTo(0.5, 14);
});

describe("degenerate matrices", () => {
  test.each([
    ["nothing", []],
    ["one number", [Float64Array.of(-4)]],
    ["zeros", symmetric(5, [0])],
    ["rank one", symmetric(6, [1])],
    ["diagonal with ties", [Float64Array.of(3, 0, 0), Float64Array.of(0, 1, 0), Float64Array.of(0, 0, 3)]],
    ["two blocks", [Float64Array.of(1, 2, 0), Float64Array.of(2, 1, 0), Float64Array.of(0, 0, 7)]],
    ["tiny numbers", symmetric(5, [1e-160, 3e-160, -2e-160])],
  ])("%s", (_, matrix) => {
    check(matrix);
  });
});

test("a matrix times its eigenvector is the eigenvalue times it, and eigenvectors are orthonormal", () => {
  const entries = fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 78, maxLength: 78 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), entries, (d, numbers) => {
      check(symmetric(d, numbers));
    }),
    { numRuns: 60 },
  );
});
