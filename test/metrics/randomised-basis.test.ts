import { expect, test } from "vitest";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { normal } from "../../src/base/random.ts";
import { randomisedBasis } from "../../src/metrics/pca.ts";

test("finds planted directions in a tall table and in a wide one", () => {
  for (const [rows, columns] of [
    [300, 40],
    [40, 300],
  ] as const) {
    const rng = new Pcg64(rows);
    // Two directions, far stronger than the noise around them.
    const planted = [0, 1].map((k) =>
      Float64Array.from({ length: columns }, (_, i) => (i === 3 * k ? 1 : 0)),
    );
    const matrix = Array.from({ length: rows }, () => {
      const row = Float64Array.from({ length: columns }, () => 0.1 * normal(rng));
      row[0] += 9 * normal(rng);
      row[3] += 5 * normal(rng);
      return row;
    });
    const basis = randomisedBasis(matrix, 2, rng);
    for (const direction of planted) {
      const along = basis.map((vector) =>
        vector.reduce((total, value, i) => total + value * direction[i], 0),
      );
      expect(Math.hypot(...along)).toBeGreaterThan(0.98);
    }
  }
});

test("as many vectors as the matrix has directions, also where it has fewer than asked for", () => {
  const rng = new Pcg64(1);
  // Three equal rows: one direction, the others have no length.
  const basis = randomisedBasis(
    Array.from({ length: 3 }, () => Float64Array.of(1, 2, 2)),
    2,
    rng,
  );
  const lengths = basis.map((vector) => Math.hypot(...vector));
  expect(lengths[0]).toBeCloseTo(1, 12);
  expect(Math.abs(basis[0][0])).toBeCloseTo(1 / 3, 12);
});
