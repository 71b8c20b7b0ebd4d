import { describe, expect, test } from "vitest";
import { InputError } from "../../../src/base/errors.ts";
import { Pcg64 } from "../../../src/base/pcg64.ts";
import { integerBelow, normal } from "../../../src/base/random.ts";
import { MINI_WIDTH, miniSuite } from "../../../src/evaluation/suites/mini.ts";
import { type Suite, wholeSuite } from "../../../src/evaluation/suites/suite.ts";
import { adjustedMutualInformationWithout } from "../../../src/metrics/adjusted-mutual-information.ts";
import { aurocEstimate } from "../../../src/metrics/auroc.ts";
import { singleRows } from "../../../src/metrics/blocks.ts";
import { pearsonEstimate, spearmanEstimate } from "../../../src/metrics/correlation.ts";
import { wilsonInterval } from "../../../src/metrics/intervals.ts";
import { jackknifeOf } from "../../../src/metrics/jackknife.ts";
import {
  rowsForCorrelation,
  rowsForMutualInformation,
  rowsForProportion,
  rowsPerClass,
} from "../../../src/metrics/sample-size.ts";

const Z = 1.959963984540054;
const WIDTHS = [0.01, 0.02, 0.03, 0.05, 0.1, 0.2];

describe.each(WIDTHS)("for intervals of ±%f", (width) => {
  test("a proportion of one half has the requested half-width, and not with one row less", () => {
    const half = (n: number) => Z * Math.sqrt(0.25 / n);
    const n = rowsForProportion(width);
    expect(half(n)).toBeLessThanOrEqual(width);
    expect(half(n - 1)).toBeGreaterThan(width);
    // The printed interval is not longer than the one assumed for the number of rows.
    const { low, high } = wilsonInterval(Math.round(n / 2), n);
    expect((high - low) / 2).toBeLessThanOrEqual(width);
  });

  test("a zero correlation has the requested half-width", () => {
    const half = (n: number) => Math.tanh(Z / Math.sqrt(n - 3));
    const n = rowsForCorrelation(width);
    expect(half(n)).toBeLessThanOrEqual(width);
    expect(half(n - 1)).toBeGreaterThan(width);
    // Spearman's, with its own variance, at every correlation.
    for (let r = 0; r < 1; r += 0.05) {
      const step = Z * Math.sqrt((1 + r ** 2 / 2) / (n - 3));
      const interval = Math.tanh(Math.atanh(r) + step) - Math.tanh(Math.atanh(r) - step);
      expect(interval / 2).toBeLessThanOrEqual(width * (1 + 1e-9));
    }
  });

  test("printed intervals of correlations are not longer than requested", () => {
    const n = rowsForCorrelation(width);
    const rng = new Pcg64(n);
    const column = () => Float64Array.from({ length: n }, () => normal(rng));
    const [x, y] = [column(), column()];
    for (const { low, high } of [pearsonEstimate(x, y), spearmanEstimate(x, y)]) {
      expect((high - low) / 2).toBeLessThanOrEqual(width * (1 + 1e-9) + 1e-12);
    }
  });

  test("the interval of an AUROC with the largest variance is not longer than requested", () => {
    const n = rowsPerClass(width);
    const scores = Float64Array.from({ length: 2 * n }, (_, i) => (i >= n ? 1 : i % 2 === 0 ? 0 : 2));
    const { value, low, high } = aurocEstimate(
      scores,
      Uint8Array.from(scores, (_, i) => (i < n ? 1 : 0)),
    );
    expect(Math.abs(value - 0.5)).toBeLessThan(1 / n);
    expect((high - low) / 2).toBeLessThanOrEqual(width);
  });
});

/**
 * Half the interval of the AMI of five lines in turn and clusters: the line's own, another line's for a share
 * of the rows.
 */
function mutualInformationHalf(rows: number, astray: number, clustersPerLine: number): number {
  const rng = new Pcg64(rows);
  const labels = Int32Array.from({ length: rows }, (_, row) => row % 5);
  const clusters = labels.map((label, row) => {
    // Exactly that share, spread evenly over lines and over the others' clusters.
    const turn = Math.floor(row / 5);
    const strays = Math.floor((turn + 1) * astray) > Math.floor(turn * astray);
    const line = strays ? (label + 1 + (Math.floor(turn * astray) % 4)) % 5 : label;
    return clustersPerLine * line + integerBelow(rng, clustersPerLine);
  });
  const blocks = singleRows(rows);
  const { low, high } = jackknifeOf(blocks, adjustedMutualInformationWithout(labels, clusters, blocks));
  return (high - low) / 2;
}

describe("an adjusted mutual information with five lines", () => {
  /** E[f²] of the documentation for probabilities [lines, clusters]. */
  function variance(weights: readonly Float64Array[]): number {
    const total = weights.reduce((sum, row) => sum + row.reduce((a, b) => a + b, 0), 0);
    const p = weights.map((row) => row.map((weight) => weight / total));
    const ofLine = p.map((row) => row.reduce((a, b) => a + b, 0));
    const ofCluster = p[0].map((_, j) => p.reduce((sum, row) => sum + row[j], 0));
    const entropy = (some: Iterable<number>) =>
      [...some].reduce((sum, x) => sum - (x > 0 ? x * Math.log(x) : 0), 0);
    const both = entropy(p.flatMap((row) => [...row]));
    const mean = (entropy(ofLine) + entropy(ofCluster)) / 2;
    const n = (2 * mean - both) / mean;
    return p.reduce(
      (sum, row, i) =>
        sum +
        row.reduce((part, x, j) => {
          if (x === 0) return part;
          const f = (Math.log(x) - (1 - n / 2) * (Math.log(ofLine[i]) + Math.log(ofCluster[j]))) / mean;
          return part + x * f * f;
        }, 0),
      0,
    );
  }

  /** Shares of the lines in the benchmark, and equal ones. */
  const SHARES = [
    [0.2, 0.2, 0.2, 0.2, 0.2],
    [45_184, 49_208, 33_948, 50_783, 37_623].map((peaks) => peaks / 216_746),
  ];

  test.each(SHARES)("has at most the assumed variance in a search (%f, ...)", (...shares) => {
    const rng = new Pcg64(7);
    const joint = (logits: readonly Float64Array[]) =>
      logits.map((row, i) => {
        const weights = row.map(Math.exp);
        const sum = weights.reduce((a, b) => a + b, 0);
        return weights.map((weight) => (shares[i] * weight) / sum);
      });
    let largest = 0;
    for (const clusters of [3, 5, 5, 8, 20]) {
      let at = shares.map(() => Float64Array.from({ length: clusters }, () => 2 * normal(rng)));
      let value = variance(joint(at));
      for (let step = 0; step < 1500; step++) {
        const size = 10 ** (-2 * rng.nextFloat64());
        const next = at.map((row) =>
          row.map((x) => x + size * normal(rng) * (rng.nextFloat64() < 0.3 ? 1 : 0)),
        );
        const found = variance(joint(next));
        if (found > value) [at, value] = [next, found];
      }
      largest = Math.max(largest, value);
    }
    // The search comes near the bound, and not above.
    expect(largest).toBeGreaterThan(0.45);
    expect(largest).toBeLessThan(0.5);
  });

  test.each([0.01, 0.02, 0.03])(
    "is known to ±%f: five clusters with one row of six astray, about the worst",
    (width) => {
      const half = mutualInformationHalf(rowsForMutualInformation(width), 0.16, 1);
      expect(half).toBeLessThanOrEqual(width);
      expect(half).toBeGreaterThan(0.9 * width);
    },
  );

  test.each(WIDTHS)("with the rows of mini, in 5 and 50 clusters, for ±%f", (width) => {
    const task = miniSuite(width).rows.find((row) => row.task === "cell-type-elements")!;
    const { limit } = task.settings["zero-shot-embedding"];
    for (const astray of [0, 0.16, 0.5, 0.8]) {
      for (const perLine of [1, 10]) {
        expect(mutualInformationHalf(limit!, astray, perLine)).toBeLessThanOrEqual(width);
      }
    }
  });
});

describe("the small suite", () => {
  const sizes = (width?: number) =>
    Object.fromEntries(
      miniSuite(width).rows.map(({ task, settings }) => {
        const { limit, sample } = Object.values(settings)[0];
        return [task, limit ?? sample];
      }),
    );

  test("has sizes for its width", () => {
    expect(MINI_WIDTH).toBe(0.03);
    expect(sizes()).toEqual({
      "regulatory-elements": 1068,
      "motif-footprinting": 1068,
      "cell-type-elements": Math.ceil(1069 / (33_948 / 216_746)),
      "chromatin-activity": { peaks: 4269, idr: 1069, nonpeaks: 1069 },
      "variant-effects": { significant: 4269, control: 1069 },
    });
    expect(sizes(0.1)).toMatchObject({
      "regulatory-elements": rowsForProportion(0.1),
      "variant-effects": { significant: rowsForCorrelation(0.1), control: rowsPerClass(0.1) },
    });
  });

  test("has the tasks, data and settings of dart-eval", () => {
    const form = ({ rows }: Suite) =>
      rows.map(({ task, inputs, settings }) => [task, inputs, Object.keys(settings)]);
    expect(form(miniSuite())).toEqual(form(wholeSuite()));
  });

  test.each([Number.NaN, 0, 0.5])("refuses a width of %f", (width) => {
    expect(() => miniSuite(width)).toThrow(InputError);
  });
});
