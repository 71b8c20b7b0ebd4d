import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LogitsPrediction } from "../../../../src/evaluation/tasks/prediction.ts";
import {
  measureClassifiedPairs,
  validatePairs,
} from "../../../../src/evaluation/tasks/regulatory-elements/classified.ts";
import type { PairFacts } from "../../../../src/evaluation/tasks/regulatory-elements/rows.ts";
import type { Protocol } from "../../../../src/models/model.ts";
import { expectClose, goldenSection, METRICS } from "../../../metrics/golden.ts";
import { testWithSharedData } from "../../../shared-data.ts";

type Logits = readonly [number, number];

function predictionsOf(
  pairs: readonly (readonly [element: Logits, control: Logits])[],
): LogitsPrediction<PairFacts>[] {
  return pairs.map((logits, row) => ({
    kind: "logits",
    row,
    logits,
    facts: {
      chrom: row % 2 === 0 ? "chr5" : "chr10",
      start: Math.floor(row / 2) * 50_000,
      end: Math.floor(row / 2) * 50_000 + 300,
      unknown: 0,
      same: 0,
    },
  }));
}

const measure = (
  predictions: readonly LogitsPrediction<PairFacts>[],
  protocol: Protocol,
  { rowsInTable = 5000, evaluationBatchSize = 4 } = {},
) => measureClassifiedPairs(predictions, { protocol, seed: 0, rowsInTable, recipe: { evaluationBatchSize } });

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

testWithSharedData("numbers over all sequences agree with scikit-learn", METRICS, (file) => {
  const cases = goldenSection<readonly Classification[]>(file, "classification");
  let compared = 0;
  for (const { name, labels, scores, threshold, ...expected } of cases) {
    const of = (label: 0 | 1) => scores.filter((_, i) => labels[i] === label);
    const [controls, elements] = [of(0), of(1)];
    // Sequences come in pairs here. A margin of 0 is class 0, as a score at the threshold is there.
    if (controls.length !== elements.length || threshold !== 0 || elements.length === 0) continue;
    const pairs = elements.map(
      (score, i) =>
        [
          [0, score],
          [0, controls[i]],
        ] as const,
    );
    const { published } = measure(predictionsOf(pairs), "corrected");
    expectClose(published.test_auroc!, expected.roc_auc, { absolute: 1e-9 }, name);
    expectClose(published.test_auprc!, expected.average_precision, { absolute: 1e-9 }, name);
    expectClose(published.test_mcc!, expected.mcc, { absolute: 1e-9 }, name);
    expectClose(published.test_acc!, expected.accuracy, { absolute: 1e-9 }, name);
    compared++;
  }
  expect(compared).toBeGreaterThan(5);
});

describe("by hand", () => {
  // Margins: elements 2, -1, 0, 1; controls -1, 0, 0, 3.
  const pairs = predictionsOf([
    [
      [0, 2],
      [1, 0],
    ],
    [
      [1, 0],
      [0, 0],
    ],
    [
      [3, 3],
      [2, 2],
    ],
    [
      [0, 1],
      [0, 3],
    ],
  ]);
  const loss = (margin: number) => Math.log(1 + Math.exp(-margin));
  const losses = [loss(2), loss(1), loss(-1), loss(0), loss(0), loss(0), loss(1), loss(-3)];
  const total = losses.reduce((sum, value) => sum + value, 0);

  test("accuracy takes every sequence, a tie of classes as class 0; pairs by the difference of logits", () => {
    const corrected = measure(pairs, "corrected");
    // Right: element 0, control 0; control 1 (tie); control 2 (tie); element 3.
    expect(corrected.published.test_acc).toBe(5 / 8);
    expect(corrected.counts).toMatchObject({ rows: 4, sequences: 8, wins: 1, ties: 1, losses: 2 });
    expect(corrected.published.test_acc_paired).toBe(1.5 / 4);
    expect(measure(pairs, "paper").published.test_acc_paired).toBe(1 / 4);
    expect(corrected.quirks.find(({ label }) => label === "Q15")!.effect).toEqual({
      paper: 0.25,
      corrected: 0.375,
    });
  });

  test("the loss is a mean, or as the original divides sums of batch means", () => {
    expect(measure(pairs, "corrected").published.test_loss).toBeCloseTo(total / 8, 12);
    // Batches of three pairs and of one, each with a mean for elements and one for controls.
    const summed =
      (losses[0] + losses[2] + losses[4]) / 3 +
      (losses[1] + losses[3] + losses[5]) / 3 +
      losses[6] +
      losses[7];
    const paper = measure(pairs, "paper", { evaluationBatchSize: 3 });
    expect(paper.published.test_loss).toBeCloseTo(summed / 8, 12);
    expect(paper.quirks.find(({ label }) => label === "Q13")!.effect.corrected).toBeCloseTo(total / 8, 12);
    // The metric itself is the mean under both.
    expect(paper.metrics.find(({ name }) => name === "loss")!.value).toBeCloseTo(total / 8, 12);
  });

  test("published intervals take the whole table under the paper's protocol", () => {
    const [accuracy, paired] = measure(pairs, "paper").metrics;
    const walds = (metric: typeof accuracy) =>
      metric.intervals.filter(({ method }) => method === "wald").map(({ n }) => n);
    expect(accuracy.intervals[0]).toMatchObject({ method: "wald", n: 10_000 });
    expect(paired.intervals[0]).toMatchObject({ method: "wald", n: 5000 });
    // One of its scripts counts the other way round: every share has both denominators.
    expect([walds(accuracy), walds(paired)]).toEqual([
      [10_000, 5000],
      [5000, 10_000],
    ]);
    const [own, ownPaired] = measure(pairs, "corrected").metrics;
    expect(own.intervals.at(-1)).toMatchObject({ method: "wald", n: 8 });
    expect(ownPaired.intervals.at(-1)).toMatchObject({ method: "wald", n: 4 });
    expect(own.main).toBe(true);
  });

  test("validation columns are those of the test, by the same rules, in batches of the training", () => {
    for (const protocol of ["paper", "corrected"] as const) {
      const context = {
        protocol,
        seed: 0,
        rowsInTable: 10,
        recipe: { batchSize: 3, evaluationBatchSize: 2 },
      };
      const { published } = measure(pairs, protocol, { evaluationBatchSize: 3 });
      expect(validatePairs(pairs, context)).toEqual({
        val_loss: published.test_loss,
        val_acc: published.test_acc,
        val_acc_paired: published.test_acc_paired,
      });
    }
  });
});

test("margins that differ by no more than the rounding of the logits are ties", () => {
  const near = predictionsOf([
    [
      [7, 8],
      [7, 8 - 2 ** -20],
    ],
    [
      [0.5, 0.75],
      [0.5, 0.75 - 2 ** -20],
    ],
  ]);
  const measured = (protocol: Protocol) =>
    measureClassifiedPairs(near, {
      protocol,
      seed: 0,
      rowsInTable: 2,
      recipe: { evaluationBatchSize: 4 },
      scoreRounding: 2 ** -23,
    });
  const corrected = measured("corrected");
  expect(corrected.counts).toMatchObject({ wins: 1, ties: 1, losses: 0 });
  expect(corrected.published.test_acc_paired).toBe(0.75);
  expect(corrected.ties).toEqual({
    rounding: 2 ** -23,
    tolerance: (30 - 2 ** -20) * 2 ** -23,
    byRounding: 1,
  });
  expect(measured("paper").published.test_acc_paired).toBe(1);
  expect(corrected.quirks.find(({ label }) => label === "Q15")!.effect).toEqual({
    paper: 1,
    corrected: 0.75,
  });
});

test("neither the size of batches nor the order of members in a batch changes a corrected number", () => {
  const logit = fc.double({ min: -20, max: 20, noNaN: true });
  const pair = fc.tuple(fc.tuple(logit, logit), fc.tuple(logit, logit));
  fc.assert(
    fc.property(
      fc.array(pair, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 15 }),
      (pairs, size) => {
        const predictions = predictionsOf(pairs);
        const one = measure(predictions, "corrected", { evaluationBatchSize: size });
        expect(one.published).toEqual(measure(predictions, "corrected").published);
        // All batches have the same size: the original's loss is the mean divided by the pairs of a batch.
        const paper = measure(predictions, "paper", { evaluationBatchSize: 1 });
        expect(paper.published.test_loss).toBeCloseTo(one.published.test_loss!, 9);
      },
    ),
    { numRuns: 30 },
  );
});

test("without rows every number is null, with its reason", () => {
  const { metrics, published, quirks } = measure([], "corrected");
  for (const metric of metrics) {
    expect(metric.value, metric.name).toBeNull();
    expect(metric.why).toBeDefined();
  }
  expect(Object.values(published).every((value) => value === null)).toBe(true);
  expect(quirks).toEqual([]);
});
