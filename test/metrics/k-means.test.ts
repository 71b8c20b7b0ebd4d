import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { normal } from "../../src/base/random.ts";
import { KMeans, type KMeansOptions } from "../../src/metrics/k-means.ts";
import type { Matrix } from "../../src/metrics/matrix.ts";
import { testWithSharedData } from "../shared-data.ts";
import { expectClose, goldenSection, METRICS, ownGolden } from "./golden.ts";

type Table = readonly (readonly number[])[];
const matrixOf = (rows: Table): Matrix => ({
  data: Float64Array.from(rows.flat()),
  rows: rows.length,
  columns: rows[0].length,
});

const kMeans = (data: Matrix, k: number, seed: number, options?: KMeansOptions) =>
  new KMeans(data, k).fit(seed, options);

/** Lloyd's iterations from given centres. */
function lloyd(data: Matrix, start: Matrix) {
  const table = new KMeans(data, start.rows);
  return table.fitFrom(Float64Array.from(start.data, (value, i) => value - table.means[i % start.columns]));
}

testWithSharedData("Lloyd's iterations from given rows agree with scikit-learn", METRICS, (file) => {
  interface Golden {
    readonly k: number;
    readonly init_rows: readonly number[];
    readonly inertia: number;
    readonly n_iter: number;
    readonly labels: readonly number[];
    readonly centers: Table;
  }
  const table = goldenSection<Table>(file, "kmeans_data");
  const cases = goldenSection<readonly Golden[]>(file, "kmeans");
  for (const golden of cases) {
    const found = lloyd(matrixOf(table), matrixOf(golden.init_rows.map((row) => table[row])));
    expect([...found.clusters]).toEqual(golden.labels);
    expect(found.iterations).toBe(golden.n_iter);
    expectClose(found.inertia, golden.inertia, { relative: 1e-13 }, `${golden.k} clusters`);
    golden.centers.flat().forEach((expected, i) => {
      expectClose(found.centres.data[i], expected, { absolute: 1e-12 }, `centre entry ${i}`);
    });
  }
  expect(cases.length).toBe(4);
});

describe("against scikit-learn 1.4.2, as the benchmark pins it", () => {
  const file = ownGolden("clustering");
  const data = matrixOf(goldenSection<Table>(file, "data"));
  interface Run {
    readonly k: number;
    readonly seed: number;
    readonly clusters: readonly number[];
    readonly inertia: number;
    readonly iterations: number;
  }

  test.each(goldenSection<readonly Run[]>(file, "runs"))(
    "$k clusters from seed $seed, k-means++ start included",
    ({ k, seed, clusters, inertia, iterations }) => {
      const found = kMeans(data, k, seed);
      expect([...found.clusters]).toEqual(clusters);
      expect(found.iterations).toBe(iterations);
      expectClose(found.inertia, inertia, { relative: 1e-12 }, "inertia");
    },
  );

  test("moves a row to a cluster without rows", () => {
    const golden = goldenSection<Omit<Run, "k" | "seed"> & { readonly start: Table }>(file, "relocated");
    const found = lloyd(data, matrixOf(golden.start));
    expect([...found.clusters]).toEqual(golden.clusters);
    expect(found.iterations).toBe(golden.iterations);
    expectClose(found.inertia, golden.inertia, { relative: 1e-12 }, "inertia");
  });
});

test("four corners, two clusters", () => {
  const corners = matrixOf([
    [0, 0],
    [0, 1],
    [9, 0],
    [9, 1],
  ]);
  const found = lloyd(
    corners,
    matrixOf([
      [1, 1],
      [5, 0],
    ]),
  );
  expect([...found.clusters]).toEqual([0, 0, 1, 1]);
  expect([...found.centres.data]).toEqual([0, 0.5, 9, 0.5]);
  expect(found.inertia).toBe(1);
});

test("rejects too few rows, and invalid seeds and options", () => {
  const data = { data: Float64Array.of(1, 2, 3, 4), rows: 2, columns: 2 };
  expect(() => kMeans(data, 3, 0)).toThrow(InputError);
  expect(() => kMeans(data, 2, -1)).toThrow(InputError);
  expect(() => kMeans(data, 2, 0, { maxIterations: 0 })).toThrow(InputError);
});

test("assigns every row to its nearest centre, and every centre is the mean of its rows", () => {
  const points = fc.array(fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -50, max: 50 })), {
    minLength: 6,
    maxLength: 40,
  });
  fc.assert(
    fc.property(points, fc.integer({ min: 1, max: 4 }), fc.nat(1000), (rows, k, seed) => {
      const { clusters, centres } = kMeans(matrixOf(rows), k, seed, { tolerance: 0 });
      const distance = (row: readonly number[], cluster: number) =>
        row.reduce((total, value, i) => total + (value - centres.data[2 * cluster + i]) ** 2, 0);
      rows.forEach((row, i) => {
        const own = distance(row, clusters[i]);
        for (let cluster = 0; cluster < k; cluster++) {
          expect(own).toBeLessThanOrEqual(distance(row, cluster) + 1e-7);
        }
      });
      for (let cluster = 0; cluster < k; cluster++) {
        const members = rows.filter((_, i) => clusters[i] === cluster);
        if (members.length === 0) continue;
        const mean = members.reduce((total, [x]) => total + x, 0) / members.length;
        expect(centres.data[2 * cluster]).toBeCloseTo(mean, 9);
      }
    }),
  );
});

/**
 * Lloyd's iterations without bounds: every row with every centre, every sum recomputed. For columns of mean
 * 0.
 */
function plainLloyd({ data, rows, columns }: Matrix, start: Float64Array) {
  const k = start.length / columns;
  let variance = 0;
  for (const value of data) variance += value ** 2;
  variance /= rows * columns;
  const nearest = (centres: Float64Array) =>
    Array.from({ length: rows }, (_, row) => {
      let best = Number.POSITIVE_INFINITY;
      let found = -1;
      for (let cluster = 0; cluster < k; cluster++) {
        let product = 0;
        let square = 0;
        for (let i = 0; i < columns; i++) {
          product += data[row * columns + i] * centres[cluster * columns + i];
          square += centres[cluster * columns + i] ** 2;
        }
        if (square - 2 * product >= best) continue;
        best = square - 2 * product;
        found = cluster;
      }
      return found;
    });
  let centres = start;
  let clusters: number[] = [];
  for (let iterations = 1; ; iterations++) {
    const before = clusters;
    clusters = nearest(centres);
    const sums = new Float64Array(k * columns);
    const sizes = new Array<number>(k).fill(0);
    clusters.forEach((cluster, row) => {
      sizes[cluster]++;
      for (let i = 0; i < columns; i++) sums[cluster * columns + i] += data[row * columns + i];
    });
    if (sizes.includes(0)) return undefined;
    const moved = sums.map((sum, i) => sum / sizes[Math.floor(i / columns)]);
    const shift = moved.reduce((sum, value, i) => sum + (value - centres[i]) ** 2, 0);
    centres = moved;
    if (clusters.every((cluster, row) => cluster === before[row])) return { clusters, centres, iterations };
    if (shift <= 1e-4 * variance) return { clusters: nearest(centres), centres, iterations };
  }
}

test("is bit-identical to plain iterations, with duplicates and ties too", () => {
  let compared = 0;
  fc.assert(
    fc.property(
      fc.integer({ min: 20, max: 200 }),
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 20 }),
      fc.constantFrom("cloud", "grid", "duplicates"),
      fc.nat(),
      (half, columns, k, kind, seed) => {
        const rng = new Pcg64(seed);
        const spread = kind === "grid" ? 1.5 : 1;
        const draw = () => (kind === "grid" ? Math.round(normal(rng, 0, spread)) : normal(rng, 0, spread));
        const some = Array.from({ length: kind === "duplicates" ? 10 : half }, () =>
          Array.from({ length: columns }, draw),
        );
        const table = Array.from({ length: half }, (_, i) => some[i % some.length]);
        // Each row with its opposite, so that the means of the columns are 0 and centring changes no bit.
        const rows = table.flatMap((row) => [row, row.map((value) => -value)]);
        const start = Array.from({ length: k }, (_, i) => rows[(i * 7) % rows.length]);
        const expected = plainLloyd(matrixOf(rows), matrixOf(start).data as Float64Array);
        if (expected === undefined) return;
        compared++;
        const found = lloyd(matrixOf(rows), matrixOf(start));
        expect([...found.clusters]).toEqual(expected.clusters);
        expect([...found.centres.data]).toEqual([...expected.centres]);
        expect(found.iterations).toBe(expected.iterations);
      },
    ),
    { numRuns: 300 },
  );
  expect(compared).toBeGreaterThan(100);
});

test("gives the same clusters for a seed, whatever seeds came before", () => {
  const rng = new Pcg64(3);
  const data = { data: Float64Array.from({ length: 3000 }, () => normal(rng)), rows: 1000, columns: 3 };
  const table = new KMeans(data, 12);
  for (const seed of [4, 0, 4, 9]) expect(table.fit(seed)).toEqual(kMeans(data, 12, seed));
});

test.each([2 ** 400, 2 ** -400])(
  "gives the same clusters when all numbers are multiplied by %d",
  (factor) => {
    const rng = new Pcg64(11);
    const data = Float64Array.from({ length: 400 * 6 }, () => normal(rng));
    const plain = kMeans({ data, rows: 400, columns: 6 }, 8, 3);
    const scaled = kMeans({ data: data.map((value) => factor * value), rows: 400, columns: 6 }, 8, 3);
    expect(scaled.clusters).toEqual(plain.clusters);
    expect(scaled.centres.data).toEqual(Float64Array.from(plain.centres.data, (value) => factor * value));
  },
);
