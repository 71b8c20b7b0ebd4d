import { expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { Mt19937 } from "../../src/base/mt19937.ts";
import { KMeansKernels } from "../../src/metrics/k-means-kernels.ts";
import { kMeansPlusPlus, trialsOf } from "../../src/metrics/k-means-plus-plus.ts";
import type { Matrix } from "../../src/metrics/matrix.ts";
import { goldenSection, ownGolden } from "./golden.ts";

const file = ownGolden("clustering");
const table = goldenSection<readonly (readonly number[])[]>(file, "data");
const columns = table[0].length;
const means = Array.from(
  { length: columns },
  (_, i) => table.reduce((sum, row) => sum + row[i], 0) / table.length,
);
const centred = {
  data: Float64Array.from(table.flatMap((row) => row.map((value, i) => value - means[i]))),
  rows: table.length,
  columns,
};

const picked = (data: Matrix, k: number, seed: number) =>
  kMeansPlusPlus(new KMeansKernels(data, k, trialsOf(k)), k, Mt19937.fromSeed(seed));

interface Run {
  readonly k: number;
  readonly seed: number;
  readonly start: readonly number[];
}

test.each(goldenSection<readonly Run[]>(file, "runs"))(
  "picks the same $k rows from seed $seed as scikit-learn 1.4.2",
  ({ k, seed, start }) => {
    expect([...picked(centred, k, seed)]).toEqual(start);
  },
);

test("picks from equal rows", () => {
  const same = { data: new Float64Array(8).fill(3), rows: 4, columns: 2 };
  expect(picked(same, 3, 0)).toHaveLength(3);
});

test("rejects more clusters than rows", () => {
  expect(() => picked(centred, table.length + 1, 0)).toThrow(InputError);
});
