import { describe, expect, test } from "vitest";
import { CELL_LINES } from "../../../../src/datasets/cell-lines.ts";
import {
  measureCellTypes,
  validateCellTypes,
} from "../../../../src/evaluation/tasks/cell-type-elements/classified.ts";
import type { CellTypeFacts } from "../../../../src/evaluation/tasks/cell-type-elements/subset.ts";
import type { LogitsPrediction } from "../../../../src/evaluation/tasks/prediction.ts";
import type { Protocol } from "../../../../src/models/model.ts";
import { expectClose, goldenSection, METRICS } from "../../../metrics/golden.ts";
import { testWithSharedData } from "../../../shared-data.ts";

function predictionsOf(
  rows: readonly (readonly [label: number, logits: readonly number[]])[],
): LogitsPrediction<CellTypeFacts>[] {
  return rows.map(([label, logits], row) => ({
    kind: "logits",
    row,
    logits: [logits],
    facts: {
      chrom: row % 2 === 0 ? "chr5" : "chr10",
      start: Math.floor(row / 2) * 40_000,
      end: Math.floor(row / 2) * 40_000 + 500,
      label: CELL_LINES[label],
      unknown: 0,
    },
  }));
}

const measure = (
  predictions: readonly LogitsPrediction<CellTypeFacts>[],
  protocol: Protocol,
  { saturated = "minus-999", evaluationBatchSize = 4, rowsInTable = 5000 } = {},
) =>
  measureCellTypes(predictions, {
    protocol,
    seed: 0,
    rowsInTable,
    recipe: { evaluationBatchSize, saturated },
  });

const metricValue = (measurement: ReturnType<typeof measure>, name: string) =>
  measurement.metrics.find((metric) => metric.name === name)!.value;

interface Classification {
  readonly name: string;
  readonly labels: readonly (0 | 1)[];
  readonly scores: readonly number[];
  readonly threshold: number;
  readonly roc_auc: number;
  readonly average_precision: number;
  readonly mcc: number;
  readonly accuracy: number;
}

testWithSharedData("a class against the rest agrees with scikit-learn", METRICS, (file) => {
  let compared = 0;
  for (const { name, labels, scores, threshold, ...expected } of goldenSection<readonly Classification[]>(
    file,
    "classification",
  )) {
    const bothClasses = labels.includes(0) && labels.includes(1);
    const large = scores.length > 500 || scores.some((score) => Math.abs(score - threshold) > 30);
    if (!bothClasses || large || scores.includes(threshold)) continue;
    // The other four logits are -ln 4, so that the log-odds of class 2 are the score over its threshold.
    const rest = -Math.log(4);
    const rows = scores.map(
      (score, i) => [labels[i] === 1 ? 2 : 0, [rest, rest, score - threshold, rest, rest]] as const,
    );
    for (const protocol of ["corrected", "paper"] as const) {
      // Differences far below the rounding of float32 exist in float64 only.
      if (protocol === "paper" && name === "tiny differences") continue;
      const { published } = measure(predictionsOf(rows), protocol);
      // In float32 two close scores may become equal.
      const absolute = protocol === "corrected" ? 1e-9 : 5e-3;
      expectClose(published.class_HEPG2_auroc!, expected.roc_auc, { absolute }, name);
      expectClose(published.class_HEPG2_auprc!, expected.average_precision, { absolute }, name);
      expectClose(published.class_HEPG2_mcc!, expected.mcc, { absolute: 1e-9 }, name);
      expectClose(published.class_HEPG2_acc!, expected.accuracy, { absolute: 1e-9 }, name);
    }
    compared++;
  }
  expect(compared).toBeGreaterThan(3);
});

describe("by hand", () => {
  const certain = (label: number) => CELL_LINES.map((_, i) => (i === label ? 200 : 0));
  const rows = predictionsOf([
    [0, certain(0)],
    [1, certain(1)],
    [2, certain(2)],
    [3, certain(3)],
    [4, certain(4)],
    [4, [0, 0, 0, 1, 0]],
    [0, [0, 0, 0, 0, 0]],
    [1, [2, 0, 0, 0, 0]],
  ]);

  test("accuracy, losses and confusion matrix", () => {
    const { published, counts, metrics, breakdowns } = measure(rows, "corrected");
    // Right: the five certain ones, and the tie, where the lowest class is taken.
    expect(published.test_acc).toBe(6 / 8);
    expect(counts).toMatchObject({ GM12878: 2, H1ESC: 2, HEPG2: 1, IMR90: 1, K562: 2, rows: 8 });
    expect(breakdowns![0].rows.map(({ name, values }) => [name, ...values])).toEqual([
      ["GM12878", 2, 0, 0, 0, 0],
      ["H1ESC", 1, 1, 0, 0, 0],
      ["HEPG2", 0, 0, 1, 0, 0],
      ["IMR90", 0, 0, 0, 1, 0],
      ["K562", 0, 0, 0, 1, 1],
    ]);
    expect(metrics[0].chance).toBe(2 / 8);
    const losses = [...[0, 0, 0, 0, 0], Math.log(Math.E + 4), Math.log(5), Math.log(Math.exp(2) + 4)];
    const sum = losses.reduce((total, loss) => total + loss, 0);
    expect(published.test_loss).toBeCloseTo(sum / 8, 12);
    // Batches of three, three and two: their means added up, over the rows (quirk Q13).
    const summed = (losses[5] / 3 + (losses[6] + losses[7]) / 2) / 8;
    const paper = measure(rows, "paper", { evaluationBatchSize: 3 });
    expect(paper.published.test_loss).toBeCloseTo(summed, 12);
    expect(paper.quirks.find(({ label }) => label === "Q13")!.effect.corrected).toBeCloseTo(sum / 8, 12);
    const columns = validateCellTypes(rows, {
      protocol: "paper",
      seed: 0,
      rowsInTable: 8,
      recipe: { batchSize: 3, evaluationBatchSize: 5 },
    });
    expect(columns.val_loss).toBeCloseTo(summed, 12);
    expect(columns.val_acc).toBe(6 / 8);
  });

  test("the keys of the original's eval_test.json, and a binary answer at log-odds of 0 or more", () => {
    const { published } = measure(rows, "corrected");
    expect(Object.keys(published)).toEqual([
      "test_loss",
      "test_acc",
      ...CELL_LINES.flatMap((line) => ["auroc", "auprc", "mcc", "acc"].map((key) => `class_${line}_${key}`)),
    ]);
    // IMR90 is predicted only in its own row: e / (e + 4) is below one half.
    expect(published.class_IMR90_acc).toBe(1);
    expect(published.class_IMR90_mcc).toBeCloseTo(1, 12);
    // GM12878 is named in its certain row, and in the last one: e² > 4.
    expect(published.class_GM12878_acc).toBe(6 / 8);
  });

  test("replaces infinite log-odds as the scripts do, which changes the order of rows", () => {
    // p is 1 in float32 for both; in float64 the first is the surer one.
    const pair = predictionsOf([
      [0, [60, 0, 0, 0, 0]],
      [1, [40, 0, 0, 0, 0]],
      [2, [0, 0, 1, 0, 0]],
      [3, [0, 0, 0, 1, 0]],
      [4, [0, 0, 0, 0, 1]],
    ]);
    expect(measure(pair, "corrected").published.class_GM12878_auroc).toBe(1);
    for (const saturated of ["minus-999", "largest-float32"]) {
      expect(measure(pair, "paper", { saturated }).published.class_GM12878_auroc).toBe(1 - 1 / 8);
    }
  });

  test("a line without rows leaves its metrics and the means undefined, with a note", () => {
    const few = measure(rows.slice(0, 3), "corrected");
    expect(few.published.class_K562_auroc).toBeNull();
    const macro = few.metrics.find(({ name }) => name === "macro-auroc")!;
    expect(macro.value).toBeNull();
    expect(macro.why).toMatch(/cell line/);
    expect(few.notes.join()).toContain("IMR90, K562");
    expect(metricValue(few, "accuracy")).toBe(1);
  });

  test("means over lines, and the interval of the accuracy by each protocol", () => {
    const corrected = measure(rows, "corrected");
    expect(metricValue(corrected, "balanced-accuracy")).toBeCloseTo((1 + 0.5 + 1 + 1 + 0.5) / 5, 12);
    const perLine = CELL_LINES.map((line) => metricValue(corrected, `auroc-${line.toLowerCase()}`)!);
    expect(metricValue(corrected, "macro-auroc")).toBeCloseTo(perLine.reduce((a, b) => a + b) / 5, 12);
    expect(corrected.metrics[0].intervals[0].method).toBe("genomic-block-wilson");
    expect(measure(rows, "paper").metrics[0].intervals[0]).toMatchObject({ method: "wald", n: 5000 });
  });

  test("no rows at all", () => {
    const none = measure([], "corrected");
    expect(none.metrics.every(({ value }) => value === null)).toBe(true);
    expect(none.published.test_acc).toBeNull();
  });
});
