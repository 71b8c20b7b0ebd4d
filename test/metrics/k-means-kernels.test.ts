import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compiledKernels } from "../../scripts/compiled-kernels.ts";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { normal } from "../../src/base/random.ts";
import { KMeansKernels } from "../../src/metrics/k-means-kernels.ts";

const source = (name: string) => readFileSync(new URL(`../../src/metrics/${name}`, import.meta.url), "utf8");

test("the binary kernels are compiled from the text (npm run kernels)", async () => {
  expect(await compiledKernels(source("k-means-kernels.wat"))).toBe(source("k-means-kernels-wasm.ts"));
});

const sizes = fc.tuple(
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: 1, max: 9 }),
  fc.integer({ min: 1, max: 20 }),
  fc.nat(),
);

test("distances, products and sums equal those of plain loops", () => {
  fc.assert(
    fc.property(sizes, ([rows, columns, k, seed]) => {
      const rng = new Pcg64(seed);
      const data = Float64Array.from({ length: rows * columns }, () => normal(rng));
      const table = new KMeansKernels({ data, rows, columns }, k, 3);
      const at = (row: number, i: number) => data[row * columns + i];
      const norm = (values: Float64Array, from: number) =>
        values.subarray(from, from + columns).reduce((squares, value) => squares + value * value, 0);

      const candidates = [0, Math.floor(rows / 2), rows - 1];
      table.known.fill(1.5);
      table.nearer(candidates);
      candidates.forEach((from, trial) => {
        const distances = Array.from({ length: rows }, (_, row) => {
          let sum = 0;
          for (let i = 0; i < columns; i++) sum += (at(row, i) - at(from, i)) ** 2;
          return Math.min(sum, 1.5);
        });
        expect([...table.trials[trial]]).toEqual(distances);
      });

      const centres = Float64Array.from({ length: k * columns }, () => normal(rng));
      table.setCentres(centres);
      const pairs = Array.from({ length: k }, (_, i) => [(7 * i) % rows, i] as const);
      table.pairs.set(pairs.flat());
      table.products(k);
      pairs.forEach(([row, centre], pair) => {
        let product = 0;
        for (let i = 0; i < columns; i++) product += at(row, i) * centres[centre * columns + i];
        expect(table.product(row, centre)).toBe(product);
        const norms = Math.sqrt(norm(data, row * columns) * norm(centres, centre * columns));
        const error = Math.abs(table.productScale * table.found[pair] - product);
        expect(error).toBeLessThanOrEqual(table.productError * norms);
      });

      const clusters = Int32Array.from({ length: rows }, (_, row) => (row * row) % k);
      table.clusters.set(clusters);
      table.addRows(new Uint8Array(k).fill(1));
      // Sums of unchanged clusters are kept.
      table.clusters.fill(0);
      table.addRows(new Uint8Array(k));
      for (let cluster = 0; cluster < k; cluster++) {
        const sums = new Array<number>(columns).fill(0);
        clusters.forEach((of, row) => {
          if (of === cluster) for (let i = 0; i < columns; i++) sums[i] += at(row, i);
        });
        expect([...table.sum(cluster)]).toEqual(sums);
      }
    }),
    { numRuns: 200 },
  );
});
