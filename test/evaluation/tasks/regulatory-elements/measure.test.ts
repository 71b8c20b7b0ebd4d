import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { LikelihoodPrediction, Predictions } from "../../../../src/evaluation/tasks/prediction.ts";
import { measurePairs } from "../../../../src/evaluation/tasks/regulatory-elements/measure.ts";
import type { PairFacts } from "../../../../src/evaluation/tasks/regulatory-elements/rows.ts";
import { inRowOrder } from "../../../../src/evaluation/tasks/row-order.ts";
import type { Protocol } from "../../../../src/models/model.ts";
import { streamed } from "../streamed-columns.ts";

interface Golden {
  readonly element: number[];
  readonly control: number[];
  readonly metrics: Readonly<Record<string, number | null>>;
}
// scripts/golden/regulatory_elements_metrics.py (NumPy 1.26.4, SciPy 1.12.0)
const goldens: Record<string, Golden> = JSON.parse(
  readFileSync(new URL("../../../golden/regulatory-elements/metrics.json", import.meta.url), "utf8"),
);

/** Rows on two chromosomes, 50 kb apart. */
function predictionsOf(
  element: number[],
  control: number[],
  more: (
    i: number,
  ) => Partial<Omit<LikelihoodPrediction, "facts"> & { readonly facts: Partial<PairFacts> }> = () => ({}),
) {
  return element.map((score, row): LikelihoodPrediction<PairFacts> => {
    const { facts, ...rest } = more(row);
    const start = Math.floor(row / 2) * 50_000;
    return {
      kind: "likelihood",
      row,
      values: [score, control[row]],
      facts: {
        chrom: row % 2 === 0 ? "chr5" : "chr10",
        start,
        end: start + 300,
        unknown: 0,
        same: 0,
        ...facts,
      },
      ...rest,
    };
  });
}
const measure = (predictions: Predictions<PairFacts>, protocol: Protocol = "paper", rowsInTable = 5000) =>
  measurePairs(predictions, { protocol, seed: 0, rowsInTable, recipe: {} });

describe("the published keys agree with NumPy and SciPy", () => {
  test.each(Object.entries(goldens))("%s", (_, { element, control, metrics }) => {
    const { published } = measure(predictionsOf(element, control));
    expect(Object.keys(published)).toEqual(Object.keys(metrics));
    for (const [key, expected] of Object.entries(metrics)) {
      if (expected === null) expect(published[key], key).toBeNull();
      else
        expect(Math.abs(published[key]! - expected), key).toBeLessThanOrEqual(
          1e-9 * Math.max(1, Math.abs(expected)),
        );
    }
    // p-values far below 1e-9 are compared by their ratio.
    if (metrics.pval !== null) expect(published.pval! / metrics.pval).toBeCloseTo(1, 6);
  });
});

describe("columns on disk give the same measurement", () => {
  const cases = Object.entries(goldens).filter(([, { element }]) => element.length > 0);
  test.each(cases)("%s", (_, { element, control }) => {
    const placed = predictionsOf(element, control, (i) => ({
      tokens: [(i % 3) + 1, (i % 2) + 1],
      facts: { unknown: i % 4, same: i % 5 === 0 ? 1 : 0 },
    }));
    const unplaced = placed.map(({ facts: { unknown, same }, ...rest }) => ({
      ...rest,
      facts: { unknown, same },
    }));
    for (const predictions of [placed, unplaced]) {
      for (const protocol of ["paper", "corrected"] as const) {
        const onDisk = streamed(predictions, 100);
        expect(measure(onDisk, protocol)).toEqual(measure(predictions, protocol));
        expect(measure(inRowOrder(streamed(predictions.toReversed(), 100)), protocol)).toEqual(
          measure(predictions, protocol),
        );
      }
    }
  });
});

describe("accuracy", () => {
  const { element, control } = goldens["many ties"];
  const predictions = predictionsOf(element, control);
  const wins = element.filter((score, i) => score > control[i]).length;
  const ties = element.filter((score, i) => score === control[i]).length;

  test("counts a tie as wrong in the paper's protocol and as half in the corrected one", () => {
    expect(ties).toBeGreaterThan(20);
    for (const [protocol, accuracy] of [
      ["paper", wins / 500],
      ["corrected", (wins + ties / 2) / 500],
    ] as const) {
      const { metrics, published, counts } = measure(predictions, protocol);
      expect(metrics[0]).toMatchObject({ name: "paired-accuracy", main: true });
      expect(metrics[0].value).toBeCloseTo(accuracy, 12);
      expect(published.acc).toBe(metrics[0].value);
      expect(counts).toMatchObject({ rows: 500, rowsInTable: 5000, wins, ties, losses: 500 - wins - ties });
      for (const { low, high, value } of metrics[0].intervals) {
        expect(value).toBeCloseTo(accuracy, 12);
        expect(low).toBeLessThan(accuracy);
        expect(high).toBeGreaterThan(accuracy);
      }
    }
  });

  test("has the published interval over twice the table first under paper, the one over blocks under corrected", () => {
    const paper = measure(predictions, "paper").metrics[0];
    const accuracy = paper.value!;
    expect(paper.intervals[0]).toMatchObject({ method: "wald", n: 10_000 });
    const half = 1.959964 * Math.sqrt((accuracy * (1 - accuracy)) / 10_000);
    expect(paper.intervals[0].high - accuracy).toBeCloseTo(half, 6);
    const corrected = measure(predictions, "corrected").metrics[0];
    expect(corrected.intervals.map(({ method, n }) => [method, n])).toEqual([
      ["genomic-block-wilson", 500],
      ["wilson", 500],
      ["wald", 500],
    ]);
  });

  test("has the original's intervals over both of its denominators", () => {
    const context = { protocol: "paper", seed: 0, rowsInTable: 2_348_854, recipe: {} } as const;
    const { value, intervals } = measurePairs(predictions, context).metrics[0];
    const walds = intervals.filter(({ method }) => method === "wald");
    expect(walds.map(({ n }) => n)).toEqual([4_697_708, 2_348_854]);
    for (const { n, high } of walds) {
      expect(high - value!).toBeCloseTo(1.959964 * Math.sqrt((value! * (1 - value!)) / n), 9);
    }
  });

  test("flags the interval of too little genome, and not that of enough", () => {
    expect(measure(predictions).notes.join()).toContain("too little genome: 26 blocks of 1 Mb");
    expect(measure(predictions.slice(0, 1)).notes.join()).toContain("Intervals not reliable (1 block)");
    const spread = predictionsOf(element, control, (i) => ({
      facts: { start: i * 1_000_000, end: i * 1_000_000 + 300 },
    }));
    expect(measure(spread).notes).toEqual([]);
    expect(measure(spread)).toEqual(measure(spread));
  });

  test("corrected: p agrees with the interval although elements of a stretch succeed together", () => {
    // 40 stretches on alternating chromosomes, each with 25 pairs that go the same way: 23 up, 17 down.
    const together = predictionsOf(
      Array.from({ length: 1000 }, (_, i) => (Math.floor(i / 25) % 40 < 23 ? 1 : -1)),
      new Array<number>(1000).fill(0),
      (i) => {
        const start = 16_000_000 * Math.floor(i / 50) + 1000 * (i % 25);
        return { facts: { chrom: Math.floor(i / 25) % 2 === 0 ? "chr5" : "chr10", start, end: start + 300 } };
      },
    );
    const corrected = measure(together, "corrected").metrics;
    const [low, high] = [corrected[0].intervals[0].low, corrected[0].intervals[0].high];
    expect(low).toBeLessThan(0.5);
    expect(high).toBeGreaterThan(0.5);
    expect(corrected.find(({ name }) => name === "paired-accuracy-p")!.value).toBeGreaterThan(0.05);
    expect(corrected.find(({ name }) => name === "wilcoxon-p")).toBeUndefined();
    const original = measure(together, "paper").metrics.find(({ name }) => name === "wilcoxon-p")!;
    expect(original.value).toBeLessThan(1e-5);
    expect(original.title).toContain("original Wilcoxon");
  });

  test("reports the effect of each quirk, the same under both protocols", () => {
    const [q14, q15] = measure(predictions, "corrected").quirks;
    expect(q14).toMatchObject({ label: "Q14", effect: { paper: { n: 10_000 }, corrected: { n: 500 } } });
    expect(q15.effect.paper).toBeCloseTo(wins / 500, 12);
    expect(q15.effect.corrected).toBeCloseTo((wins + ties / 2) / 500, 12);
  });
});

describe("undefined metrics are null with a reason, and results are JSON-safe", () => {
  test.each([
    ["no difference", goldens["no difference"].element, goldens["no difference"].control],
    ["one row", [-3], [-4]],
    ["no row", [], []],
  ])("%s", (_, element, control) => {
    for (const protocol of ["paper", "corrected"] as const) {
      const measured = measure(predictionsOf([...element], [...control]), protocol);
      expect(JSON.parse(JSON.stringify(measured))).toEqual(measured);
      for (const metric of measured.metrics) expect(metric.value === null).toBe(metric.why !== undefined);
    }
  });

  test("a model without differences gets 0.5 and no test", () => {
    const { element, control } = goldens["no difference"];
    const { metrics, counts } = measure(predictionsOf(element, control), "corrected");
    expect(metrics[0].value).toBe(0.5);
    expect(counts.ties).toBe(30);
    expect(metrics.find(({ name }) => name === "paired-accuracy-p")!.value).toBeCloseTo(1, 12);
    const paper = measure(predictionsOf(element, control), "paper").metrics;
    const p = paper.find(({ name }) => name === "wilcoxon-p");
    expect(p).toMatchObject({ value: null, why: expect.stringContaining("all differences are zero") });
  });
});

describe("tokens and bases", () => {
  const element = [-1, -2, -3, -4];
  const control = [-2, -1, -4, -5];

  test("token counts are averaged, and pairs of equal counts have their own accuracy", () => {
    const predictions = predictionsOf(element, control, (i) => ({ tokens: [10 + i, i < 2 ? 10 + i : 20] }));
    const { averages, counts, metrics } = measure(predictions);
    expect(averages).toEqual({ tokensPerElement: 11.5, tokensPerControl: (10 + 11 + 20 + 20) / 4 });
    expect(counts.rowsWithEqualTokens).toBe(2);
    expect(metrics.find(({ name }) => name === "paired-accuracy-equal-tokens")!.value).toBe(0.5);
  });

  test("where all counts are equal, or unknown, there is no such accuracy", () => {
    for (const tokens of [{ tokens: [5, 5] as const }, {}]) {
      const { metrics } = measure(predictionsOf(element, control, () => tokens));
      expect(metrics.map(({ name }) => name)).not.toContain("paired-accuracy-equal-tokens");
    }
  });

  test("counts and reports unknown bases and controls equal to their element", () => {
    const predictions = predictionsOf(element, control, (i) => ({
      facts: { unknown: i === 1 ? 7 : 0, same: i > 1 ? 1 : 0 },
    }));
    const { counts, notes } = measure(predictions);
    expect(counts).toMatchObject({ rowsWithUnknownBases: 1, rowsWithEqualSequences: 2 });
    expect(notes.join()).toContain("1 element has unknown bases (N)");
  });
});

describe("scores that differ only by rounding", () => {
  // Sums of the same log-likelihoods in two orders, as an order-1 Markov model has them for a dinucleotide
  // shuffle.
  const terms = Array.from({ length: 350 }, (_, i) => Math.log([0.33, 0.17, 0.24, 0.26, 0.05][i % 5]));
  const add = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const rows = Array.from({ length: 40 }, (_, row) => [...terms.slice(row), ...terms.slice(0, row)]);
  const element = rows.map((row) => add(row));
  const control = rows.map((row) => add(row.toSorted()));
  const measured = (protocol: Protocol, scoreRounding: number) =>
    measurePairs(predictionsOf(element, control), {
      protocol,
      seed: 0,
      rowsInTable: 40,
      recipe: {},
      scoreRounding,
    });

  test("are ties under corrected, and the result has the tolerance", () => {
    const { counts, metrics, ties, quirks } = measured("corrected", 350 * 2 ** -53);
    expect(metrics[0].value).toBe(0.5);
    expect(counts).toMatchObject({ wins: 0, ties: 40, losses: 0 });
    expect(ties!.rounding).toBe(350 * 2 ** -53);
    expect(ties!.tolerance / Math.abs(element[0])).toBeCloseTo(350 * 2 ** -52, 20);
    expect(ties!.byRounding).toBeGreaterThan(20);
    expect(metrics.find(({ name }) => name === "paired-accuracy-p")!.value).toBeCloseTo(1, 12);
    const { effect } = quirks.find(({ label }) => label === "Q15")!;
    expect(effect.corrected).toBe(0.5);
    expect(effect.paper).toBe(measured("paper", 350 * 2 ** -53).metrics[0].value);
  });

  test("are compared exactly under paper, those of a float32 model as float32", () => {
    const exact = measured("paper", 350 * 2 ** -53);
    expect(exact.ties).toBeUndefined();
    expect(exact.counts.ties).toBe(element.filter((score, i) => score === control[i]).length);
    const float32 = measured("paper", 2 ** -23);
    const equal = element.filter((score, i) => Math.fround(score) === Math.fround(control[i])).length;
    expect(float32.counts.ties).toBe(equal);
    expect(equal).toBeGreaterThan(exact.counts.ties);
  });
});
