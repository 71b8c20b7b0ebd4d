import { expect, test } from "vitest";
import {
  agreementWithPublished,
  comparePublished,
  isDeterministic,
  whyNotComparable,
} from "../../../src/evaluation/published/compare-published.ts";
import type { PublishedResult } from "../../../src/evaluation/published/published-result.ts";
import { readPublished } from "../../../src/evaluation/published/read-published.ts";
import { openModel } from "../../../src/models/open-model.ts";
import { benchmarkResult, metric, publishedCheckpoint } from "./benchmark-result.ts";

const published = await readPublished();
const zeroShot = { task: "regulatory-elements", setting: "zero-shot", family: "caduceus" } as const;

test("compares a zero-shot cell with the paper's value of its checkpoint", () => {
  const [only, ...others] = comparePublished(
    benchmarkResult({ ...zeroShot, metrics: [metric("paired-accuracy", 0.9702)] }),
    published,
  );
  expect([only.published.value, only.own.value, others]).toEqual([0.971, 0.9702, []]);
  expect(agreementWithPublished(only)).toBe("same");
});

test("has no published values for a model without any", () => {
  const result = benchmarkResult({
    ...zeroShot,
    family: "kmer-markov",
    metrics: [metric("paired-accuracy", 0.7)],
  });
  expect(comparePublished(result, published)).toEqual([]);
});

test.each([
  ["custom data", { sources: { genome: "hg38" } }, /^custom data: elements\.tsv$/],
  ["another genome", { sources: { elements: "ccres", genome: "hg19" } }, /not one data set.*genome hg19/],
  ["a toy or an untrained checkpoint", { checkpoint: null }, /^model is not known to be kuleshov-group\//],
  [
    "another checkpoint of the family",
    { checkpoint: "a/b@main" },
    /^model is not known to be kuleshov-group\//,
  ],
  ["the corrected protocol", { cell: { protocol: "corrected" } }, /only the paper protocol/],
  ["another split", { cell: { split: "val" } }, /rows of the val split/],
  ["another seed of the controls", { cell: { seed: 1 } }, /shuffled with seed 1/],
] as const)("%s: no published number, and the reason", (_, change, why) => {
  const own = { ...zeroShot, metrics: [metric("paired-accuracy", 0.9702)] };
  expect(whyNotComparable(benchmarkResult(own))).toBeUndefined();
  const result = benchmarkResult({ ...own, ...change });
  expect(whyNotComparable(result)).toMatch(why);
  expect(comparePublished(result, published)).toEqual([]);
});

test("has no published values for a result without origins", () => {
  const { origins: _, ...result } = benchmarkResult(zeroShot);
  expect(whyNotComparable(result)).toBe("the run did not record where its data come from");
});

test("has no published values for shortened training", () => {
  const form = { task: "chromatin-activity", setting: "probed", family: "hyenadna", dataset: "K562" };
  const { cell } = benchmarkResult(form);
  expect(whyNotComparable(benchmarkResult(form))).toBeUndefined();
  const short = benchmarkResult({ ...form, cell: { recipe: { ...cell.recipe, epochs: 2 } } });
  expect(whyNotComparable(short)).toMatch(/^another recipe: epochs 2 instead of/);
});

test("finds the data set by its files, not by its name", () => {
  const form = { task: "chromatin-activity", setting: "probed", family: "hyenadna" };
  const own = [metric("spearman-peaks", 0.4)];
  const named = benchmarkResult({ ...form, dataset: "K562", metrics: own });
  const renamed = { ...named, cell: { ...named.cell, dataset: "GM12878" } };
  for (const result of [named, renamed]) {
    expect(comparePublished(result, published).map(({ published: { dataset } }) => dataset)).toEqual([
      "K562",
    ]);
  }
});

test("does not take a network's file for a published ChromBPNet", () => {
  for (const dataset of ["K562", "GM12878"]) {
    const form = { task: "chromatin-activity", setting: "predicted", family: "chrombpnet", dataset };
    expect(whyNotComparable(benchmarkResult(form))).toBe(
      `model is not known to be the published chrombpnet of ${dataset}`,
    );
  }
});

test("compares scores declared as ChromBPNet's with the published variant scores", () => {
  const form = {
    task: "variant-effects",
    setting: "predicted",
    family: "chrombpnet",
    dataset: "African caQTLs",
  };
  const model = { name: "chrombpnet", identity: "activity scores 0123" };
  const result = benchmarkResult({ ...form, cell: { model }, metrics: [metric("auprc", 0.397249)] });
  expect(comparePublished(result, published).map((one) => agreementWithPublished(one))).toEqual(["same"]);
});

test("has no published values for toys", async () => {
  const toy = await openModel("toy:hyenadna", { device: "cpu" });
  expect([toy.family, toy.checkpoint]).toEqual(["hyenadna", undefined]);
  await toy.close?.();
});

test("classes of one cell are distinguished by their line", () => {
  const cell = { task: "cell-type-elements", setting: "probed", family: "caduceus" };
  const metrics = [metric("accuracy", 0.28), metric("auroc-gm12878", 0.53), metric("auroc-k562", 0.6)];
  const beside = comparePublished(benchmarkResult({ ...cell, metrics }), published);
  expect(beside.map(({ published: { metric, dataset } }) => [metric, dataset])).toEqual([
    ["accuracy", null],
    ["auroc", "GM12878"],
    ["auroc", "K562"],
  ]);
});

test("lists all editions of a value: paper, notebook, and later runs as superseded", () => {
  const cell = {
    task: "variant-effects",
    setting: "fine-tuned",
    dataset: "Yoruban dsQTLs",
    family: "dnabert2",
    metrics: ["auroc", "auprc", "pearson", "spearman", "mann-whitney-p"].map((name) => metric(name, 0.5)),
  };
  const beside = comparePublished(benchmarkResult(cell), published);
  const pearson = beside.filter(({ published: { metric } }) => metric === "pearson");
  expect(
    pearson.map(({ published: { edition, value, superseded } }) => [edition, value, superseded]),
  ).toEqual([
    ["Table 6", 0.473, false],
    ["Finetuned_Final_Counts.ipynb, Nov 2024", expect.closeTo(0.473, 3), false],
    ["Finetuned_Final_Counts.ipynb, Jan 2026", expect.closeTo(0.5, 2), true],
  ]);
  expect(beside.every(({ published: { dataset } }) => dataset === "Yoruban dsQTLs")).toBe(true);
});

test("does not compare prevalence-dependent metrics of a sample", () => {
  const form = {
    task: "variant-effects",
    setting: "zero-shot",
    dataset: "African caQTLs",
    family: "hyenadna",
    metrics: [metric("auroc", 0.48), metric("auprc", 0.08)],
  };
  const metrics = (cell = {}) => [
    ...new Set(
      comparePublished(benchmarkResult({ ...form, cell }), published).map((one) => one.published.metric),
    ),
  ];
  expect(metrics().toSorted()).toEqual(["auprc", "auroc"]);
  expect(metrics({ sample: { significant: 100, control: 100 } })).toEqual(["auroc"]);
});

test("summarizes the accuracies of all motifs", () => {
  const result = benchmarkResult({
    task: "motif-footprinting",
    setting: "zero-shot",
    family: "nucleotide-transformer",
  });
  const rows = [0.4, 0.6, 0.9].map((accuracy, i) => ({ name: `motif ${i}`, values: [accuracy] }));
  const beside = comparePublished(
    {
      ...result,
      averages: { motifAccuracyMedian: 0.59 },
      breakdowns: [{ name: "motifs", group: "motif", columns: [], rows }],
    },
    published,
  );
  expect(Object.fromEntries(beside.map(({ published, own }) => [published.metric, own.value]))).toEqual({
    per_motif_accuracy_min: 0.4,
    per_motif_accuracy_median: 0.59,
    per_motif_accuracy_max: 0.9,
    "motifs_with_accuracy_above_0.5": 2,
  });
});

test("every published language model has a checkpoint", () => {
  const families = new Set(published.flatMap(({ family }) => family ?? []));
  const without = [...families].filter((family) => publishedCheckpoint(family) === undefined);
  expect(without.toSorted()).toEqual(["chrombpnet", "chrombpnet-like", "probing-head-like"]);
});

test.each([
  [0.5, 0.501, 0.01, "same"],
  [0.5, 0.5011, 0.01, "within the interval"],
  [0.5, 0.52, 0.01, "another"],
  [0.5, null, 0.01, undefined],
  [1052, 1053, 0.01, "same"],
  [1052, 1054, 0.01, "another"],
])("published %f, ours %f: %s", (value, own, width, expected) => {
  const one = { ...published[0], value } satisfies PublishedResult;
  const found = metric("x", own, width);
  const interval = found.intervals[0];
  const mine = { title: "x", value: own, ...(interval === undefined ? {} : { interval }) };
  expect(agreementWithPublished({ published: one, own: mine })).toBe(expected);
});

test("compares p-values relatively", () => {
  const one = { ...published[0], metric: "mannwhitney_p_less", value: 1e-9 };
  expect(agreementWithPublished({ published: one, own: { title: "p", value: 2e-9 } })).toBe("another");
  expect(agreementWithPublished({ published: one, own: { title: "p", value: 1.0005e-9 } })).toBe("same");
});

test("only settings without training are deterministic", () => {
  expect([isDeterministic("zero-shot"), isDeterministic("fine-tuned")]).toEqual([true, false]);
});
