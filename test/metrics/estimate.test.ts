import { describe, expect, test } from "vitest";
import { Pcg64 } from "../../src/base/pcg64.ts";
import { normal, uniform } from "../../src/base/random.ts";
import { aurocEstimate } from "../../src/metrics/auroc.ts";
import { blockEstimate } from "../../src/metrics/block-estimate.ts";
import { genomicBlocks } from "../../src/metrics/blocks.ts";
import { spearmanOver } from "../../src/metrics/correlation.ts";
import { compare, type EstimatedMetric, estimate } from "../../src/metrics/estimate.ts";
import type { Estimate } from "../../src/metrics/intervals.ts";
import { expectClose, goldenSection, ownGolden } from "./golden.ts";

const rng = new Pcg64(12);
const rows = 600;
const labels = Array.from({ length: rows }, (_, i) => i % 2);
/** Rows in stretches of 20 that share a shift: neighbours are correlated. */
const shifts = Array.from({ length: rows / 20 }, () => normal(rng));
const scores = labels.map((label, i) => label + shifts[Math.floor(i / 20)] * (label - 0.5) + normal(rng));
const positions = labels.map((_, i) => ({
  chrom: i < 300 ? "chr5" : "chr10",
  start: Math.floor((i % 300) / 20) * 17_000_000 + (i % 20) * 500,
  end: Math.floor((i % 300) / 20) * 17_000_000 + (i % 20) * 500 + 350,
}));
const classes = scores.map((score) => Number(score > 0.5));

/** Two columns per metric, and its value computed in one line. */
const CASES: Readonly<
  Record<EstimatedMetric, readonly [ArrayLike<number>, ArrayLike<number>, () => number]>
> = {
  auroc: [scores, labels, () => aurocEstimate(scores, labels).value],
  "average-precision": [[3, 2, 1, 0], [1, 0, 1, 0], () => (1 + 2 / 3) / 2],
  accuracy: [classes, labels, () => classes.filter((one, i) => one === labels[i]).length / rows],
  matthews: [[1, 1, 0, 0], [1, 0, 0, 0], () => 2 / Math.sqrt(12)],
  "paired-accuracy": [[1, 2, 3, 3], [0, 2, 4, 1], () => 2.5 / 4],
  pearson: [[1, 2, 3, 4], [2, 1, 4, 3], () => 0.6],
  spearman: [[1, 20, 300, 4000], [2, 1, 4, 3], () => 0.6],
  "mann-whitney-u": [[3, 2, 1, 0], [1, 0, 1, 0], () => 3],
  "mean-squared-error": [[1, 2, 3, 4], [2, 1, 4, 6], () => 7 / 4],
  "adjusted-mutual-information": [[0, 0, 1, 1, 2], [3, 3, 0, 0, 1], () => 1],
};
const names = Object.keys(CASES) as EstimatedMetric[];

test.each(names)("%s: the same value for independent rows and for rows in blocks", (metric) => {
  const [first, second, value] = CASES[metric];
  expect(estimate(metric, first, second).value).toBeCloseTo(value(), 12);
  const inBlocks = estimate(metric, first, second, { positions: positions.slice(0, first.length) });
  expect(inBlocks.value).toBeCloseTo(value(), 12);
  expect(inBlocks.method).toMatch(/^genomic-block-/);
});

test.each(names)("%s: a higher level gives a longer interval", (metric) => {
  const ofClasses = ["accuracy", "matthews", "adjusted-mutual-information"].includes(metric);
  const pairs = ofClasses ? [classes, labels] : [scores, labels];
  for (const options of [{}, { positions }]) {
    const usual = estimate(metric, pairs[0], pairs[1], options);
    const wide = estimate(metric, pairs[0], pairs[1], { ...options, level: 0.99 });
    expect(usual.n).toBe(rows);
    expect(wide.low).toBeLessThan(usual.low);
    expect(usual.low).toBeLessThan(usual.value);
    expect(usual.value).toBeLessThan(usual.high);
    expect(usual.high).toBeLessThan(wide.high);
  }
});

type Bounds = Readonly<Record<string, Pick<Estimate, "value" | "low" | "high">>>;

describe("scikit-learn's and SciPy's values, with intervals from their values without each block", () => {
  const golden = ownGolden("estimates");
  const columns = goldenSection<Readonly<Record<string, readonly number[]>>>(golden, "columns");
  const columnsOf: Readonly<Record<string, readonly [string, string]>> = {
    "mann-whitney-u": ["scores", "labels"],
    "mean-squared-error": ["scores", "measured"],
    "adjusted-mutual-information": ["clusters", "classes"],
  };
  // Six blocks, 20 Mb apart, on each of four chromosomes: they are not joined.
  const places = columns.block.map((block) => ({
    chrom: `chr${1 + Math.floor(block / 6)}`,
    start: (block % 6) * 20_000_000,
    end: (block % 6) * 20_000_000 + 350,
  }));
  const cases = [
    ["rows", {}],
    ["blocks", { positions: places }],
  ] as const;

  test.each(cases)("%s", (section, options) => {
    const expected = Object.entries(goldenSection<Bounds>(golden, section));
    expect(expected.length).toBeGreaterThan(1);
    for (const [metric, bounds] of expected) {
      const [scores, targets] = columnsOf[metric];
      const found = estimate(metric as EstimatedMetric, columns[scores], columns[targets], options);
      for (const name of ["value", "low", "high"] as const) {
        expectClose(found[name], bounds[name], { relative: 1e-9 }, `${metric} ${name}`);
      }
    }
  });
});

test("Mann–Whitney's U of two models differs by their AUROCs times the pairs", () => {
  const other = scores.map((score) => score + normal(rng));
  const [areas, pairs] = (["auroc", "mann-whitney-u"] as const).map((metric) =>
    compare(metric, scores, other, labels, { positions }),
  );
  expectClose(pairs.difference.value, areas.difference.value * 300 * 300, { relative: 1e-12 }, "U");
  expectClose(pairs.difference.low, areas.difference.low * 300 * 300, { relative: 1e-9 }, "low");
  expectClose(pairs.p, areas.p, { relative: 1e-9 }, "p");
});

test("an error of 0 has no interval", () => {
  const { value, low, high } = estimate("mean-squared-error", [1, 2, 3], [1, 2, 3]);
  expect([value, low, high]).toEqual([0, Number.NaN, Number.NaN]);
});

test("positions widen the interval of correlated rows", () => {
  const alone = estimate("auroc", scores, labels);
  const blocks = estimate("auroc", scores, labels, { positions });
  expect(blocks.high - blocks.low).toBeGreaterThan(1.2 * (alone.high - alone.low));
});

test("positions give the interval of the benchmark's own metrics", () => {
  const blocks = genomicBlocks(positions);
  expect(estimate("spearman", scores, labels, { positions })).toEqual(
    blockEstimate(blocks, spearmanOver(scores, labels, blocks), { range: [-1, 1] }),
  );
});

describe("no number", () => {
  test("without rows, or of one class", () => {
    for (const metric of names) expect(estimate(metric, [], []).value).toBeNaN();
    const { value, low, high } = estimate("auroc", [1, 2], [1, 1]);
    expect([value, low, high]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  test("for a metric that is not in the list", () => {
    const unknown = "auc" as EstimatedMetric;
    expect(() => estimate(unknown, scores, labels)).toThrow(/there is no metric "auc"/);
  });

  test("for columns of different lengths", () => {
    expect(() => estimate("auroc", [1, 2], [1])).toThrow(/2 scores but 1 targets/);
    expect(() => estimate("auroc", [1, 2], [1, 0], { positions: positions.slice(0, 1) })).toThrow(
      /2 scores but 1 positions/,
    );
    expect(() => compare("auroc", [1, 2], [1], [1, 0])).toThrow(/2 scores of the first model but 1 scores/);
  });
});

describe("two models on the same rows", () => {
  const noisier = scores.map((score) => score + 1.5 * normal(rng));
  const asGood = scores.map((score) => score + 0.01 * uniform(rng));

  test.each([{}, { positions }])("a worse one is found: %#", (options) => {
    const { difference, p } = compare("auroc", scores, noisier, labels, options);
    expect(difference.value).toBeCloseTo(
      estimate("auroc", scores, labels).value - estimate("auroc", noisier, labels).value,
      12,
    );
    expect(difference.low).toBeGreaterThan(0);
    expect(p).toBeLessThan(0.01);
  });

  test("an equal one is not", () => {
    expect(compare("auroc", scores, asGood, labels, { positions }).p).toBeGreaterThan(0.05);
  });
});
