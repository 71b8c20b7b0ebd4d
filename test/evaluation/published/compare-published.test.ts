import { expect, test } from "vitest";
import {
  agreement,
  isDeterministic,
  isOfBenchmark,
  publishedBeside,
} from "../../../src/evaluation/published/compare-published.ts";
import type { PublishedResult } from "../../../src/evaluation/published/published-result.ts";
import { readPublished } from "../../../src/evaluation/published/read-published.ts";
import type { CellResult } from "../../../src/evaluation/runs/result.ts";
import type { Metric } from "../../../src/evaluation/tasks/measurement.ts";

const published = await readPublished();

function metric(name: string, value: number | null, width = 0.01): Metric {
  const intervals =
    value === null ? [] : [{ value, low: value - width, high: value + width, n: 100, method: "wilson" }];
  return { name, title: name, better: "higher", main: true, value, intervals };
}

function result(cell: Partial<CellResult["cell"]>, family: string, metrics: readonly Metric[]): CellResult {
  return {
    cell: { task: "regulatory-elements", setting: "zero-shot", ...cell },
    rows: { inTable: 2_348_854 },
    family,
    metrics,
    averages: { motifAccuracyMedian: 0.59 },
    breakdowns: [
      {
        name: "motifs",
        rows: [0.4, 0.6, 0.9].map((accuracy) => ({ values: [accuracy] })),
      },
    ],
  } as unknown as CellResult;
}

test("a zero-shot cell stands beside the paper's number of its family", () => {
  const [only, ...others] = publishedBeside(
    result({}, "caduceus", [metric("paired-accuracy", 0.9702)]),
    published,
  );
  expect([only!.published.value, only!.own.value, others]).toEqual([0.971, 0.9702, []]);
  expect(agreement(only!)).toBe("same");
});

test("a model that was not published has nothing beside it", () => {
  expect(publishedBeside(result({}, "kmer-markov", [metric("paired-accuracy", 0.7)]), published)).toEqual([]);
});

test("classes of one cell are told apart by their line; the paper's number goes before a notebook's", () => {
  const cell = { task: "cell-type-elements", setting: "probed" } as const;
  const lines = [metric("accuracy", 0.28), metric("auroc-gm12878", 0.53), metric("auroc-k562", 0.6)];
  const beside = publishedBeside(result(cell, "caduceus", lines), published);
  expect(beside.map(({ published: { metric, dataset } }) => [metric, dataset])).toEqual([
    ["accuracy", null],
    ["auroc", "GM12878"],
    ["auroc", "K562"],
  ]);
});

test("data sets are told apart, and later runs do not displace the paper's", () => {
  const cell = { task: "variant-effects", setting: "fine-tuned", dataset: "yoruban" } as const;
  const own = ["auroc", "auprc", "pearson", "spearman", "mann-whitney-p"].map((name) => metric(name, 0.5));
  const beside = publishedBeside(result(cell, "dnabert2", own), published);
  expect(beside.map(({ published: { metric, value, kind } }) => [metric, value, kind])).toEqual(
    expect.arrayContaining([
      ["pearson", 0.473, "paper"],
      ["auroc", 0.631, "paper"],
      ["spearman", expect.any(Number), "notebook"],
    ]),
  );
  expect(
    beside.every(({ published: { dataset, superseded } }) => dataset === "Yoruban dsQTLs" && !superseded),
  ).toBe(true);
});

test("numbers over motifs are made of the accuracies of all motifs", () => {
  const cell = { task: "motif-footprinting", setting: "zero-shot" } as const;
  const beside = publishedBeside(result(cell, "nucleotide-transformer", []), published);
  expect(Object.fromEntries(beside.map(({ published, own }) => [published.metric, own.value]))).toEqual({
    per_motif_accuracy_min: 0.4,
    per_motif_accuracy_median: 0.59,
    per_motif_accuracy_max: 0.9,
    "motifs_with_accuracy_above_0.5": 2,
  });
});

test.each([
  [0.5, 0.501, 0.01, "same"],
  [0.5, 0.5011, 0.01, "within the interval"],
  [0.5, 0.52, 0.01, "another"],
  [0.5, null, 0.01, undefined],
  [1052, 1053, 0.01, "same"],
  [1052, 1054, 0.01, "another"],
])("published %f, ours %f: %s", (value, own, width, expected) => {
  const one = { ...published[0]!, value } satisfies PublishedResult;
  const found = metric("x", own, width);
  const interval = found.intervals[0];
  const mine = { title: "x", value: own, ...(interval === undefined ? {} : { interval }) };
  expect(agreement({ published: one, own: mine })).toBe(expected);
});

test("a test's probability is compared by its digits", () => {
  const one = { ...published[0]!, metric: "mannwhitney_p_less", value: 1e-9 };
  expect(agreement({ published: one, own: { title: "p", value: 2e-9 } })).toBe("another");
  expect(agreement({ published: one, own: { title: "p", value: 1.0005e-9 } })).toBe("same");
});

test("only the benchmark's own tables are compared", () => {
  const rows = (task: string, inTable: number) =>
    isOfBenchmark({ cell: { task }, rows: { inTable } } as unknown as CellResult);
  expect(rows("regulatory-elements", 2_348_854)).toBe(true);
  expect(rows("regulatory-elements", 1187)).toBe(false);
  expect(rows("a-task-of-ones-own", 2_348_854)).toBe(false);
  expect([isDeterministic("zero-shot"), isDeterministic("fine-tuned")]).toEqual([true, false]);
});
