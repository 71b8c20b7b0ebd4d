import { expect, test } from "vitest";
import { pearson, spearman } from "../../src/metrics/correlation.ts";
import { paperPearson, paperSpearman } from "../../src/metrics/paper-correlation.ts";
import { testWithSharedData } from "../shared-data.ts";
import { expectClose, goldenSection, METRICS } from "./golden.ts";

interface Golden {
  readonly predicted_log1p: readonly number[];
  readonly counts: readonly number[];
}

testWithSharedData("Pearson's in float32 agrees with PyTorch to float32 rounding", METRICS, (file) => {
  interface Pearson extends Golden {
    readonly log_counts_plus_1: readonly number[];
    readonly pearson: number;
  }
  const cases = goldenSection<readonly Pearson[]>(file, "pearson_task4_float32");
  for (const golden of cases) {
    const found = paperPearson(golden.predicted_log1p, golden.log_counts_plus_1);
    expectClose(found, golden.pearson, { absolute: 1.2e-7 }, `${golden.counts.length} rows`);
  }
  expect(cases.length).toBe(4);
});

testWithSharedData("Spearman's by ordinal ranks agrees with PyTorch to float32 rounding", METRICS, (file) => {
  interface Spearman extends Golden {
    readonly spearman: number;
  }
  const cases = goldenSection<readonly Spearman[]>(file, "spearman_task4_ordinal_float32");
  for (const golden of cases) {
    const found = paperSpearman(golden.predicted_log1p, golden.counts);
    expectClose(found, golden.spearman, { absolute: 1.2e-7 }, `${golden.counts.length} rows`);
  }
  expect(cases.length).toBe(2);
});

test("without ties it equals the correlation, up to float32", () => {
  const x = Array.from({ length: 60 }, (_, i) => Math.sin(i * i));
  const y = Array.from({ length: 60 }, (_, i) => Math.sin(i * i) + Math.cos(3 * i));
  expect(paperPearson(x, y)).toBeCloseTo(pearson(x, y).r, 5);
  expect(paperSpearman(x, y)).toBeCloseTo(spearman(x, y).r, 5);
});

test("is 0 for a constant, and depends on the order of rows with tied counts", () => {
  expect(paperPearson([1, 2, 3], [4, 4, 4])).toBe(0);
  expect(paperSpearman([1, 2, 3], [0, 0, 0])).toBe(1);
  expect(paperSpearman([3, 2, 1], [0, 0, 0])).toBe(-1);
  expect(spearman([1, 2, 3], [0, 0, 0]).r).toBeNaN();
});

test("loses only the last digits over as many rows as a cell line has, many of them equal", () => {
  const rows = 300_000;
  const target = Float64Array.from({ length: rows }, (_, i) => (i % 3 === 0 ? 4 + Math.sin(i * i) : 0));
  const predicted = target.map((value, i) => 0.5 * value + 0.8 * Math.sin(7 * i));
  expect(Math.abs(paperPearson(predicted, target) - pearson(predicted, target).r)).toBeLessThan(2e-6);
});
