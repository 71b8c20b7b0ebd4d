import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Measurement } from "../../../../src/evaluation/tasks/measurement.ts";
import { publishedMotifs } from "../../../../src/evaluation/tasks/motif-footprinting/breakdowns.ts";
import {
  measureFootprintDistances,
  measureFootprintScores,
} from "../../../../src/evaluation/tasks/motif-footprinting/measure.ts";
import type { FootprintFacts } from "../../../../src/evaluation/tasks/motif-footprinting/rows.ts";
import type {
  DistancePrediction,
  LikelihoodPrediction,
  Prediction,
} from "../../../../src/evaluation/tasks/prediction.ts";
import { blockMeans, blocksBy } from "../../../../src/metrics/blocks.ts";
import { wilcoxon } from "../../../../src/metrics/wilcoxon.ts";
import type { Protocol } from "../../../../src/models/model.ts";

type Row = readonly [background: number, motif: string, strand: number, ...values: number[]];

// scripts/golden/motif_footprinting_metrics.py (NumPy 1.26.4, SciPy 1.12.0, pandas 2.2.0)
const goldens: Record<"scores" | "distances", { readonly rows: readonly Row[]; readonly text: string }> =
  JSON.parse(
    readFileSync(new URL("../../../golden/motif-footprinting/metrics.json", import.meta.url), "utf8"),
  );

const predictionsOf = <Kind extends "likelihood" | "distance">(kind: Kind, rows: readonly Row[]) =>
  rows.map(([background, motif, strand, ...values], row) => ({
    kind,
    row,
    values,
    facts: { background, motif, strand: strand === 0 ? "forward" : "reverse" },
  }));
const context = (protocol: Protocol, rows: number) => ({ protocol, seed: 0, rowsInTable: rows, recipe: {} });
const scores = (
  protocol: Protocol,
  predictions: readonly Prediction<FootprintFacts>[] = predictionsOf("likelihood", goldens.scores.rows),
) => measureFootprintScores(predictions, context(protocol, predictions.length));
const distances = (protocol: Protocol, predictions: readonly Prediction<FootprintFacts>[]) =>
  measureFootprintDistances(predictions, context(protocol, predictions.length));
const metric = ({ metrics }: Measurement, name: string) => metrics.find((each) => each.name === name)!;
const breakdown = ({ breakdowns = [] }: Measurement, name: string) =>
  breakdowns.find((each) => each.name === name)!;
const quirk = ({ quirks }: Measurement, label: string) => quirks.find((each) => each.label === label)!.effect;

describe("the table of motifs is the one that pandas writes of SciPy's numbers", () => {
  test.each([
    ["scores", scores("paper"), goldens.scores.text],
    [
      "distances",
      distances("paper", predictionsOf("distance", goldens.distances.rows)),
      goldens.distances.text,
    ],
  ])("%s", (_, measurement, expected) => {
    const cells = (text: string) => text.split("\n").map((line) => line.split("\t"));
    const ours = cells(publishedMotifs(measurement));
    const theirs = cells(expected);
    expect(ours.map(({ length }) => length)).toEqual(theirs.map(({ length }) => length));
    let compared = 0;
    theirs.forEach((line, i) => {
      line.forEach((cell, column) => {
        if (cell === "" || Number.isNaN(Number(cell)) || column !== 2) expect(ours[i][column]).toBe(cell);
        else expect(Number(ours[i][column]) / Number(cell)).toBeCloseTo(1, 9);
        compared++;
      });
    });
    expect(compared).toBeGreaterThan(17);
  });
});

describe("corrected", () => {
  const measured = scores("corrected");
  const values = (motif: string) =>
    breakdown(measured, "motifs").rows.find(({ name }) => name === motif)!.values;

  test("a tie is half right, and the strands of a background count once in test and interval", () => {
    const rows = goldens.scores.rows.filter(([, motif]) => motif === "weak");
    const differences = rows.map(([, , , , truth, shuffle]) => truth - shuffle);
    const wins = differences.filter((difference) => difference > 0).length;
    const ties = differences.filter((difference) => difference === 0).length;
    expect(ties).toBeGreaterThan(0);
    const [accuracy, low, high, p] = values("weak");
    expect(accuracy).toBeCloseTo((wins + ties / 2) / 200, 12);
    expect(low).toBeLessThan(accuracy!);
    expect(high).toBeGreaterThan(accuracy!);
    const means = blockMeans(
      differences,
      blocksBy(
        rows.map(([background]) => background),
        "background",
      ),
    );
    expect(p).toBe(wilcoxon(means, { alternative: "greater" }).p);
  });

  test("the metric over motifs has backgrounds as its clusters", () => {
    const accuracy = metric(measured, "accuracy");
    expect(accuracy.intervals.map(({ method }) => method)).toEqual(["background-wilson", "wilson", "wald"]);
    expect(metric(scores("paper"), "accuracy").intervals[0].method).toBe("wald");
  });

  test("a motif without any difference has no test and is not found", () => {
    expect(values("equal").slice(3, 5)).toEqual([null, null]);
    expect(metric(measured, "motifs-found").value).toBe(1 / 5);
    expect(measured.notes.join(" ")).toContain("1 motif without a test");
  });

  test("each quirk's effect has the values that the two protocols print", () => {
    const paper = scores("paper");
    for (const effect of [quirk(paper, "Q15"), quirk(measured, "Q15")]) {
      expect(effect.paper).toBe(metric(paper, "accuracy").value);
      expect(effect.corrected).toBe(metric(measured, "accuracy").value);
    }
    expect(quirk(paper, "Q14")).toEqual(quirk(measured, "Q14"));
  });

  test("the mean width of intervals leaves out a motif in one background only", () => {
    const alone: LikelihoodPrediction<FootprintFacts> = {
      kind: "likelihood",
      row: 1e6,
      values: [0, 1, 0],
      facts: { background: 0, motif: "alone", strand: "forward" },
    };
    const predictions = predictionsOf("likelihood", goldens.scores.rows);
    expect(quirk(scores("corrected", [...predictions, alone]), "Q14")).toEqual(quirk(measured, "Q14"));
  });
});

describe("a few rows of many motifs, as the small suite takes them", () => {
  const sample = (backgrounds: number) =>
    ["A", "B"].flatMap((motif) =>
      Array.from(
        { length: backgrounds },
        (_, background): LikelihoodPrediction<FootprintFacts> => ({
          kind: "likelihood",
          row: background,
          values: [0, 2 + background, 1],
          facts: { background, motif, strand: "forward" },
        }),
      ),
    );

  test("with four backgrounds no motif can be significant, so that the share is undefined", () => {
    const measured = scores("corrected", sample(4));
    expect(metric(measured, "motifs-found")).toMatchObject({ value: null, why: expect.stringMatching(/5/) });
    expect(measured.notes.join(" ")).toContain("2 of 2 motifs have fewer than 5 nonzero differences");
    // The original takes strands apart, and here there is one of each.
    expect(metric(scores("paper", sample(4)), "motifs-found").value).toBeNull();
  });

  test("with five they can: five equal signs have p = 1/32", () => {
    const measured = scores("corrected", sample(5));
    expect(metric(measured, "motifs-found").value).toBe(1);
    expect(measured.notes.join(" ")).not.toContain("fewer than 5 nonzero differences");
  });
});

describe("families", () => {
  const rows = (families: readonly number[]) =>
    families.flatMap((count, family) =>
      Array.from({ length: count }, (_, motif) =>
        Array.from(
          { length: 8 },
          (_, background): Omit<LikelihoodPrediction<FootprintFacts>, "row"> => ({
            kind: "likelihood",
            values: [0, family === 0 ? 1 : (background % 2) - 0.5, 0],
            facts: { background, motif: `${family}.${motif}`, strand: "forward", family: `family ${family}` },
          }),
        ),
      ).flat(),
    );
  test("of at least ten motifs are reported, by name", () => {
    const predictions = rows([10, 9, 12]).map((prediction, row) => ({ ...prediction, row }));
    const measured = scores("corrected", predictions);
    const families = breakdown(measured, "families");
    expect(families.rows.map(({ name, values }) => [name, values[0], values[3], values[4]])).toEqual([
      ["family 0", 1, 10, 10],
      ["family 2", 0.5, 12, 0],
    ]);
    expect(breakdown(measured, "motifs").rows[10].within).toBe("family 1");
    expect(breakdown(measured, "backgrounds").rows.length).toBe(8);
    const without = scores(
      "corrected",
      predictions.map(({ facts: { family: _, ...facts }, ...rest }) => ({ ...rest, facts })),
    );
    expect(without.breakdowns!.map(({ name }) => name)).toEqual(["motifs", "backgrounds"]);
  });
});

test("reports tokens, and the accuracy of pairs with equally many", () => {
  const values = [
    [0, 2, 1],
    [0, 2, 1],
    [0, 1, 2],
  ];
  const tokens = [
    [9, 8, 10],
    [9, 10, 8],
    [9, 9, 9],
  ];
  const predictions = values.map(
    (some, row): LikelihoodPrediction<FootprintFacts> => ({
      kind: "likelihood",
      row,
      values: some,
      tokens: tokens[row],
      facts: { background: row, motif: "m", strand: "forward" },
    }),
  );
  const measured = scores("corrected", predictions);
  expect(metric(measured, "accuracy-equal-tokens").value).toBe(0);
  expect(measured.averages).toMatchObject({ tokensPerBackground: 9, tokensPerTrue: 9, tokensPerShuffle: 9 });
});

describe("distances show the effects of order and precision", () => {
  const prediction = (
    row: number,
    values: number[],
    byVariant: DistancePrediction<FootprintFacts>["byVariant"],
  ): DistancePrediction<FootprintFacts> => ({
    kind: "distance",
    row,
    values,
    ...(byVariant === undefined ? {} : { byVariant }),
    facts: { background: row, motif: "m", strand: "forward" },
  });
  test("paper", () => {
    const measured = distances("paper", [
      prediction(0, [1, 2], { float64: [2, 1], "file-order": [2, 1] }),
      prediction(1, [1, 1], { float64: [2, 1], "file-order": [1, 1] }),
    ]);
    expect(quirk(measured, "Q2")).toEqual({ paper: 0, corrected: 0.5 });
    expect(quirk(measured, "Q16")).toEqual({ paper: 0, corrected: 1 });
    expect(quirk(measured, "Q15")).toEqual({ paper: 0, corrected: 0.25 });
  });
  test("corrected: predictions omit orders that were not requested", () => {
    const measured = distances("corrected", [prediction(0, [2, 1], { float32: [1, 1] })]);
    expect(measured.quirks.map(({ label }) => label)).toEqual(["Q16", "Q14", "Q15"]);
    expect(quirk(measured, "Q16")).toEqual({ paper: 0.5, corrected: 1 });
  });
});

test("without rows every number is undefined, with its reason", () => {
  for (const measured of [scores("corrected", []), distances("paper", [])]) {
    expect(metric(measured, "accuracy")).toMatchObject({ value: null, why: "there are no rows" });
    expect(publishedMotifs(measured)).toBe("\tAccuracy\tP-Value\n");
  }
});

describe("numbers that differ only by rounding", () => {
  // Background, true motif, shuffled motif; 1e-12 and 1e-5 apart.
  const rows: readonly Row[] = [
    [0, "A", 0, -480, -479, -479 - 1e-12],
    [0, "A", 1, -480, -479, -479 + 1e-12],
    [1, "A", 0, -480, -481, -481 + 1e-5],
    [1, "A", 1, -480, -478, -479],
  ];
  const measured = (protocol: Protocol, scoreRounding: number) =>
    measureFootprintScores(predictionsOf("likelihood", rows), { ...context(protocol, 4), scoreRounding });

  test("are ties of likelihoods, also in the comparison with the background", () => {
    const float64 = measured("corrected", 350 * 2 ** -53);
    expect(float64.counts).toMatchObject({ wins: 1, ties: 2, losses: 1 });
    expect(metric(float64, "accuracy").value).toBe(2 / 4);
    expect(float64.ties).toMatchObject({ rounding: 350 * 2 ** -53, byRounding: 2 });
    // The third true motif moves the score by 1, its shuffle by 1 − 1e-5; the fourth by 2 and 1.
    expect(metric(float64, "accuracy-vs-background").value).toBe((0.5 + 0.5 + 1 + 1) / 4);
    const float32 = measured("corrected", 2 ** -23);
    expect(float32.counts).toMatchObject({ wins: 1, ties: 3, losses: 0 });
    expect(metric(float32, "accuracy-vs-background").value).toBe((0.5 + 0.5 + 0.5 + 1) / 4);
  });

  test("differ under paper, unless they round to the same float32", () => {
    expect(measured("paper", 350 * 2 ** -53).counts).toMatchObject({ wins: 2, ties: 0, losses: 2 });
    const float32 = measured("paper", 2 ** -23);
    expect(float32.counts).toMatchObject({ wins: 1, ties: 3, losses: 0 });
    // A tie of motif and shuffle is right, one of their distances to the background is not.
    expect(metric(float32, "accuracy").value).toBe(1);
    expect(metric(float32, "accuracy-vs-background").value).toBe(1 / 4);
    expect(float32.ties).toBeUndefined();
    expect(quirk(measured("corrected", 2 ** -23), "Q15")).toEqual({ paper: 1, corrected: 2.5 / 4 });
  });

  test("are ties of distances within the rounding of float32 states", () => {
    const near = 1e-4;
    const pairs: readonly Row[] = [
      [0, "A", 0, near, near + 1e-9],
      [0, "A", 1, near, near - 1e-8],
    ];
    const { counts, ties } = distances("corrected", predictionsOf("distance", pairs));
    expect(counts).toMatchObject({ wins: 1, ties: 1, losses: 0 });
    expect(ties!.tolerance).toBeCloseTo(2 ** -22 * Math.sqrt(2 * near), 12);
    expect(distances("paper", predictionsOf("distance", pairs)).counts).toMatchObject({ ties: 0 });
  });
});
