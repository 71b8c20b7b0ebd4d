import fc from "fast-check";
import { expect, test } from "vitest";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { normal } from "../../src/base/random.ts";
import { KMeansKernels } from "../../src/metrics/k-means-kernels.ts";
import type { Matrix } from "../../src/metrics/matrix.ts";
import { NearestCentres } from "../../src/metrics/nearest-centres.ts";

const nearestIn = (data: Matrix, k: number) => new NearestCentres(new KMeansKernels(data, k, 1), k);

/** Every row against every centre; the first of equally near ones. */
function byComparingAll(data: Float64Array, centres: Float64Array, columns: number): number[] {
  return Array.from({ length: data.length / columns }, (_, row) => {
    let best = Number.POSITIVE_INFINITY;
    let nearest = -1;
    for (let cluster = 0; cluster < centres.length / columns; cluster++) {
      let product = 0;
      let square = 0;
      for (let i = 0; i < columns; i++) {
        product += data[row * columns + i] * centres[cluster * columns + i];
        square += centres[cluster * columns + i] ** 2;
      }
      if (square - 2 * product < best) {
        best = square - 2 * product;
        nearest = cluster;
      }
    }
    return nearest;
  });
}

test("finds the nearest of all centres, whether they move a little, far or not at all", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 20 }),
      fc.boolean(),
      fc.nat(),
      (rows, columns, k, onGrid, seed) => {
        const rng = new Pcg64(seed);
        // Numbers on a grid have many equal distances.
        const draw = (spread: number) => (onGrid ? Math.round(normal(rng, 0, 1.5)) : normal(rng, 0, spread));
        const data = Float64Array.from({ length: rows * columns }, () => draw(1));
        const nearest = nearestIn({ data, rows, columns }, k);
        let centres = Float64Array.from({ length: k * columns }, () => draw(1));
        for (const spread of [0.5, 0.05, 0, 3, 0.001, 0.2]) {
          expect([...nearest.of(centres)]).toEqual(byComparingAll(data, centres, columns));
          const moving = rng.nextFloat64() < 0.5;
          centres = centres.map((value, i) => (moving || i < columns ? value + draw(spread) : value));
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("finds the nearest centres from a start far from the rows", () => {
  const data = Float64Array.from([0, 0, 1e-3, 0, 0, 1e-3]);
  const nearest = nearestIn({ data, rows: 3, columns: 2 }, 2);
  expect([...nearest.of(Float64Array.from([1e6, 0, 0, 1e6]))]).toEqual([0, 0, 1]);
  expect([...nearest.of(Float64Array.from([1e-3, 0, 0, 1e-3]))]).toEqual([0, 0, 1]);
});
