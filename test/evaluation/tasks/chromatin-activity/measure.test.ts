import { describe, expect, test } from "vitest";
import type {
  ActivityFacts,
  ActivitySet,
} from "../../../../src/evaluation/tasks/chromatin-activity/columns.ts";
import {
  measureActivity,
  measurePredictedActivity,
} from "../../../../src/evaluation/tasks/chromatin-activity/measure.ts";
import { validateActivity } from "../../../../src/evaluation/tasks/chromatin-activity/training.ts";
import type { Measurement } from "../../../../src/evaluation/tasks/measurement.ts";
import type { ActivityPrediction } from "../../../../src/evaluation/tasks/prediction.ts";
import type { MeasureContext } from "../../../../src/evaluation/tasks/task.ts";
import { pearson, spearman } from "../../../../src/metrics/correlation.ts";
import type { Protocol } from "../../../../src/models/model.ts";

type Row = readonly [set: ActivitySet, counts: number, prediction: number];

const predictionsOf = (rows: readonly Row[]): ActivityPrediction<ActivityFacts>[] =>
  rows.map(([set, counts, value], row) => ({
    kind: "activity",
    row,
    values: [value],
    facts: { set, counts, chrom: "chr5", start: 400_000 * row, end: 400_000 * row + 1000, unknown: 0 },
  }));

const context = (protocol: Protocol): MeasureContext => ({
  protocol,
  seed: 0,
  rowsInTable: 40,
  recipe: { evaluationBatchSize: 4, negativeRatio: 10 },
});

/** Validation goes by the size of training batches. */
const validation = (protocol: Protocol): MeasureContext => ({
  ...context(protocol),
  recipe: { batchSize: 4, evaluationBatchSize: 3, negativeRatio: 10 },
});

const ROWS: readonly Row[] = [
  ["peaks", 12, 2.5],
  ["peaks", 40, 3.1],
  ["peaks", 3, 1.9],
  ["peaks", 90, 4.4],
  ["peaks", 25, 3.6],
  ["idr", 90, 4.4],
  ["idr", 40, 3.1],
  ["idr", 41, 0.4],
  ["nonpeaks", 0, 0.5],
  ["nonpeaks", 0, 1.5],
  ["nonpeaks", 0, 0.1],
  ["nonpeaks", 2, 0.9],
  ["nonpeaks", 0, 3.1],
  ["nonpeaks", 1, 0.2],
];
const of = (...sets: readonly string[]) => ROWS.filter(([set]) => sets.includes(set));
const errors = (rows: readonly Row[]) =>
  rows.map(([, counts, prediction]) => (Math.log(1 + counts) - prediction) ** 2);
const average = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const batchMean = (values: readonly number[]) =>
  average([average(values.slice(0, 4)), ...(values.length > 4 ? [average(values.slice(4))] : [])]);
const value = ({ metrics }: Measurement, name: string) =>
  metrics.find((metric) => metric.name === name)!.value!;

describe("metrics of predicted activity", () => {
  const corrected = measureActivity(predictionsOf(ROWS), context("corrected"));
  const paper = measureActivity(predictionsOf(ROWS), context("paper"));

  test("correlations of each set with log(1 + counts), equal counts sharing a rank", () => {
    for (const [key, rows] of [
      ["pos", of("peaks")],
      ["idr", of("idr")],
      ["neg", of("nonpeaks")],
      ["all", [...of("peaks"), ...of("nonpeaks")]],
    ] as const) {
      const predicted = rows.map((row) => row[2]);
      const target = rows.map((row) => Math.log(1 + row[1]));
      expect(corrected.published[`test_pearson_${key}`]).toBeCloseTo(pearson(predicted, target).r, 12);
      expect(corrected.published[`test_spearman_${key}`]).toBeCloseTo(spearman(predicted, target).r, 12);
      // float32 and the same order of rows: close to it where nothing is tied.
      expect(paper.published[`test_pearson_${key}`]).toBeCloseTo(pearson(predicted, target).r, 6);
    }
    expect(corrected.metrics[0]).toMatchObject({ name: "spearman-peaks", main: true, better: "higher" });
    expect(value(corrected, "spearman-peaks")).toBeCloseTo(0.9, 12);
  });

  test("under Q18 ranks of equal counts follow the order of the rows", () => {
    // Counts 0 0 0 2 0 1 rank 1 2 3 6 4 5; predictions .5 1.5 .1 .9 3.1 .2 rank 3 5 1 4 6 2: Σd² = 34, r = 1
    // − 6·34/210.
    expect(paper.published.test_spearman_neg).toBeCloseTo(1 - (6 * 34) / 210, 6);
    const effects = new Map(paper.quirks.map(({ label, effect }) => [label, effect]));
    expect(effects.get("Q18 non-peaks")!.paper).toBe(paper.published.test_spearman_neg);
    expect(effects.get("Q18 non-peaks")!.corrected).toBe(corrected.published.test_spearman_neg);
    expect(effects.get("Q18")!.corrected).toBe(corrected.published.test_spearman_all);
    expect(corrected.quirks).toEqual(paper.quirks);
  });

  test("losses: means over rows, or means of batches and of the two sets", () => {
    const [pos, neg] = [errors(of("peaks")), errors(of("nonpeaks"))];
    expect(corrected.published.test_loss_pos).toBeCloseTo(average(pos), 12);
    expect(corrected.published.test_loss_all).toBeCloseTo(average([...pos, ...neg]), 12);
    expect(paper.published.test_loss_pos).toBeCloseTo(batchMean(pos), 12);
    expect(paper.published.test_loss_neg).toBeCloseTo(batchMean(neg), 12);
    expect(paper.published.test_loss_all).toBeCloseTo((batchMean(pos) + batchMean(neg)) / 2, 12);
  });

  test("AUROC and AUPRC classify high-confidence peaks against non-peaks, independently of counts", () => {
    // 18 pairs; 4.4 wins all 6, 3.1 wins 5 and ties one, 0.4 wins against 0.1 and 0.2.
    expect(corrected.published.test_auroc).toBeCloseTo((6 + 5.5 + 2) / 18, 12);
    // Average precision: 4.4 alone, then 3.1 with one non-peak, 0.4 behind three more.
    expect(corrected.published.test_auprc).toBeCloseTo((1 + 2 / 3 + 3 / 7) / 3, 12);
    expect(paper.published.test_auroc).toBe(corrected.published.test_auroc);
  });

  test("a model's own predictions are scored with shared ranks and pooled losses in either protocol", () => {
    const own = measurePredictedActivity(predictionsOf(ROWS), context("paper"));
    expect(own.published).toEqual(corrected.published);
    expect(own.quirks).toEqual([]);
  });

  test("every metric has an interval that contains its value, except the original's correlations", () => {
    for (const { name, value, intervals } of corrected.metrics) {
      for (const { low, high } of intervals) {
        expect(low, name).toBeLessThanOrEqual(value!);
        expect(high, name).toBeGreaterThanOrEqual(value!);
      }
    }
    expect(corrected.metrics[0].intervals[0].method).toBe("genomic-block-jackknife");
    expect(paper.metrics[0].intervals).toEqual([]);
  });

  test("a set without rows leaves its numbers undefined, with the reason", () => {
    const measured = measureActivity(predictionsOf(of("peaks")), context("corrected"));
    expect(measured.published).toMatchObject({
      test_auroc: null,
      test_auprc: null,
      test_spearman_neg: null,
      test_loss_idr: null,
    });
    expect(measured.metrics.find(({ name }) => name === "auroc")!.why).toContain(
      "no high-confidence peaks, or no non-peaks",
    );
    const empty = measureActivity([], context("paper"));
    expect(empty.metrics.every((metric) => metric.value === null && metric.why !== undefined)).toBe(true);
  });

  test("reports counts", () => {
    expect(corrected.counts).toMatchObject({
      rows: 14,
      rowsInTable: 40,
      peaks: 5,
      highConfidencePeaks: 3,
      nonPeaks: 6,
      nonPeaksWithoutCounts: 4,
      rowsWithoutSignal: 0,
    });
  });
});

describe("the columns of train.log", () => {
  const rows: readonly Row[] = [...of("peaks"), ...of("nonpeaks")];
  const [pos, neg] = [errors(of("peaks")), errors(of("nonpeaks"))];

  test("are the original's, in its order", () => {
    const columns = validateActivity(predictionsOf(rows), validation("paper"), "apart");
    expect(Object.keys(columns)).toEqual([
      "val_loss",
      "val_pearson_all",
      "val_spearman_all",
      "val_pearson_peaks",
      "val_spearman_peaks",
    ]);
  });

  test("paper: the loss is a mean of batches of peaks, then non-peaks, or of both interleaved", () => {
    const apart = validateActivity(predictionsOf(rows), validation("paper"), "apart").val_loss;
    const batches = [pos.slice(0, 4), pos.slice(4), neg.slice(0, 4), neg.slice(4)].map(average);
    expect(apart).toBeCloseTo(average(batches), 12);
    const interleaved = validateActivity(predictionsOf(rows), validation("paper"), "interleaved").val_loss;
    // 5 peaks and 6 non-peaks take turns, then by the share taken: n at 1/6 comes before p at 1/5, and so on.
    const order = [pos[0], neg[0], neg[1], pos[1], neg[2], pos[2], neg[3], pos[3], neg[4], pos[4], neg[5]];
    const loss = [order.slice(0, 4), order.slice(4, 8), order.slice(8)].map((some) =>
      average(some as number[]),
    );
    expect(interleaved).toBeCloseTo(average(loss), 12);
  });

  test("corrected, all non-peaks together count as the tenth that an epoch trains on", () => {
    const { val_loss } = validateActivity(predictionsOf(rows), validation("corrected"), "apart");
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
    expect(val_loss).toBeCloseTo((sum(pos) + sum(neg) / 10) / (pos.length + neg.length / 10), 12);
  });

  test("an undefined correlation is 0", () => {
    const flat = of("peaks").map(([set, counts]): Row => [set, counts, 2]);
    for (const protocol of ["paper", "corrected"] as const) {
      const { val_pearson_peaks } = validateActivity(predictionsOf(flat), validation(protocol), "apart");
      expect(val_pearson_peaks).toBe(0);
    }
  });
});
