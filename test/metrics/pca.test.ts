import { describe, expect, test } from "vitest";
import { InputError } from "../../src/base/errors.ts";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { normal } from "../../src/base/random.ts";
import type { Matrix } from "../../src/metrics/matrix.ts";
import { type PcaOptions, pca as pcaSteps } from "../../src/metrics/pca.ts";
import { runToEnd } from "../run-to-end.ts";
import { testWithSharedData } from "../shared-data.ts";
import { expectClose, goldenSection, METRICS, ownGolden } from "./golden.ts";

const matrixOf = (rows: readonly (readonly number[])[]): Matrix => ({
  data: Float64Array.from(rows.flat()),
  rows: rows.length,
  columns: rows[0].length,
});

const pca = (data: Matrix, components: number, options: PcaOptions = { solver: "full" }) =>
  runToEnd(pcaSteps(data, components, options));

testWithSharedData("agrees with scikit-learn", METRICS, (file) => {
  interface Golden {
    readonly explained_variance: readonly number[];
    readonly explained_variance_ratio: readonly number[];
    readonly abs_transformed_first5: readonly (readonly number[])[];
  }
  const table = matrixOf(goldenSection<readonly (readonly number[])[]>(file, "kmeans_data"));
  const golden = goldenSection<Golden>(file, "pca_full");
  const found = pca(table, 2);
  golden.explained_variance.forEach((expected, k) => {
    expectClose(found.explainedVariance[k], expected, { relative: 1e-13 }, `variance ${k}`);
    const ratio = golden.explained_variance_ratio[k];
    expectClose(found.explainedVarianceRatio[k], ratio, { relative: 1e-13 }, `share ${k}`);
  });
  golden.abs_transformed_first5.flat().forEach((expected, i) => {
    expectClose(Math.abs(found.transformed.data[i]), expected, { absolute: 1e-12 }, `entry ${i}`);
  });
});

interface Fit {
  readonly data: readonly (readonly number[])[];
  readonly mean: readonly number[];
  readonly components: readonly (readonly number[])[];
  readonly variance: readonly number[];
  readonly ratio: readonly number[];
}

describe.each(goldenSection<readonly Fit[]>(ownGolden("clustering"), "pca"))(
  "a table of $data.length rows and $mean.length columns",
  ({ data, mean, components, variance, ratio }) => {
    test("agrees with scikit-learn, whichever side is shorter", () => {
      const found = pca(matrixOf(data), 4);
      mean.forEach((expected, i) => {
        expectClose(found.mean[i], expected, { absolute: 1e-13 }, `mean ${i}`);
      });
      components.flat().forEach((expected, i) => {
        expectClose(
          Math.abs(found.components.data[i]),
          expected,
          { absolute: 1e-11 },
          `component entry ${i}`,
        );
      });
      variance.forEach((expected, k) => {
        expectClose(found.explainedVariance[k], expected, { relative: 1e-12 }, `variance ${k}`);
        expectClose(found.explainedVarianceRatio[k], ratio[k], { relative: 1e-12 }, `share ${k}`);
      });
    });

    test("the randomised solver finds the same components", () => {
      const full = pca(matrixOf(data), 3);
      const randomised = pca(matrixOf(data), 3, { solver: "randomised", rng: new Pcg64(1) });
      Array.from(full.components.data).forEach((expected, i) => {
        expect(randomised.components.data[i]).toBeCloseTo(expected, 6);
      });
    });
  },
);

test("components are orthonormal with their largest entry positive, projections uncorrelated", () => {
  const rng = new Pcg64(3);
  const data = Float64Array.from({ length: 60 * 8 }, (_, i) => normal(rng, i % 8, 1 + (i % 8)));
  const { components, transformed, explainedVariance } = pca({ data, rows: 60, columns: 8 }, 8);
  const direction = (k: number) => Array.from(components.data.subarray(8 * k, 8 * k + 8));
  for (let k = 0; k < 8; k++) {
    const largest = direction(k).reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
    expect(largest).toBeGreaterThan(0);
    for (let l = 0; l < 8; l++) {
      let product = 0;
      let covariance = 0;
      for (let i = 0; i < 8; i++) product += direction(k)[i] * direction(l)[i];
      for (let row = 0; row < 60; row++) {
        covariance += (transformed.data[8 * row + k] * transformed.data[8 * row + l]) / 59;
      }
      expect(product).toBeCloseTo(k === l ? 1 : 0, 12);
      expect(covariance).toBeCloseTo(k === l ? explainedVariance[k] : 0, 9);
    }
  }
});

test("the randomised solver finds planted directions in a tall table and in a wide one", () => {
  for (const [rows, columns] of [
    [300, 40],
    [40, 300],
  ] as const) {
    const rng = new Pcg64(rows);
    // Two directions, far stronger than the noise around them.
    const table = Array.from({ length: rows }, () => {
      const row = Array.from({ length: columns }, () => 0.1 * normal(rng));
      row[0] += 9 * normal(rng);
      row[3] += 5 * normal(rng);
      return row;
    });
    const { data } = pca(matrixOf(table), 2, { solver: "randomised", rng }).components;
    for (const planted of [0, 3]) {
      expect(Math.hypot(data[planted], data[columns + planted])).toBeGreaterThan(0.98);
    }
  }
});

test("the randomised solver finds the one direction of rows along a line", () => {
  const table = matrixOf([1, 2, 4].map((t) => [t, 2 * t, 2 * t]));
  const { components, explainedVariance } = pca(table, 2, { solver: "randomised", rng: new Pcg64(1) });
  expect(Math.hypot(...components.data.subarray(0, 3))).toBeCloseTo(1, 12);
  expect(components.data[0]).toBeCloseTo(1 / 3, 12);
  expect(explainedVariance[1]).toBeCloseTo(0, 12);
});

test("equal rows have variance 0, and an undefined share of it", () => {
  const { explainedVariance, explainedVarianceRatio } = pca(
    { data: new Float32Array(6).fill(2), rows: 3, columns: 2 },
    1,
  );
  expect([explainedVariance[0], explainedVarianceRatio[0]]).toEqual([0, Number.NaN]);
});

test("rejects more components than there are, and entries that are not finite", () => {
  const table = { data: Float64Array.of(1, 2, 3, 4, 5, 6), rows: 2, columns: 3 };
  expect(() => pca(table, 3)).toThrow(InputError);
  expect(() => pca(table, 0)).toThrow(InputError);
  expect(() => pca({ ...table, data: Float64Array.of(1, 2, 3, 4, 5, Number.NaN) }, 1)).toThrow(InputError);
});
