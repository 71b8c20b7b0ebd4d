import { describe, expect, test } from "vitest";
import { readPublished } from "../../src/evaluation/published/read-published.ts";
import type { StoredResult } from "../../src/evaluation/runs/stored-results.ts";
import type { Metric } from "../../src/evaluation/tasks/measurement.ts";
import { tablesDocument } from "../../src/report/documents.ts";
import { paperTables } from "../../src/report/paper-tables.ts";
import { cellText } from "../../src/report/table.ts";
import * as benchmark from "../evaluation/published/benchmark-result.ts";
import { benchmarkResult, type ResultForm } from "../evaluation/published/benchmark-result.ts";

const published = await readPublished();

const metric = (name: string, value: number, half = 0) => benchmark.metric(name, value, half);

/** On custom data, unless `sources` says otherwise. */
function stored({ protocol = "paper", ...form }: Form, metrics: readonly Metric[]): StoredResult {
  const cell = { protocol };
  return { result: benchmarkResult({ sources: {}, model: "hyena", ...form, cell, metrics }) } as StoredResult;
}

type Form = ResultForm & { readonly protocol?: "paper" | "corrected" };

const rowsOf = (results: readonly StoredResult[]) =>
  paperTables(results, published).map(({ caption, columns, rows }) => ({
    caption,
    headings: columns.map(({ heading }) => heading),
    rows: rows.map((row) => row.map(cellText)),
  }));

test("data sets are columns: a cell each in task 4, classes of one cell in task 3", () => {
  const activity = (dataset: string, r: number) =>
    stored({ task: "chromatin-activity", setting: "probed", dataset }, [
      metric("spearman-peaks", r),
      metric("auroc", r + 0.1),
    ]);
  const types = stored({ task: "cell-type-elements", setting: "fine-tuned" }, [
    metric("accuracy", 0.5, 0.01),
    metric("auroc-k562", 0.8),
    metric("auprc-k562", 0.7),
    metric("accuracy-against-rest-k562", 0.9),
  ]);
  const [three, classes, four, lines, ...others] = rowsOf([
    activity("K562", 0.4),
    activity("GM12878", 0.3),
    types,
  ]);
  expect(three).toEqual({
    caption: expect.stringMatching(/^Task 3, .*Table 4\); paper protocol$/),
    headings: ["setting", "model", "accuracy", "K562 AUROC"],
    rows: [["fine-tuned", "hyena", "0.500 ± 0.010", "0.800"]],
  });
  expect(classes).toEqual({
    caption: expect.stringMatching(/^Task 3, each cell line .*supplement\); paper protocol$/),
    headings: ["setting", "model", "cell line", "AUROC", "AUPRC", "accuracy"],
    rows: [["fine-tuned", "hyena", "K562", "0.800", "0.700", "0.900"]],
  });
  expect(four).toEqual({
    caption: expect.stringContaining("the paper's Table 5"),
    headings: ["setting", "model", "GM12878 r", "K562 r", "GM12878 AUROC", "K562 AUROC"],
    rows: [["probed", "hyena", "0.300", "0.400", "0.400", "0.500"]],
  });
  // The supplement's AUPRC and other correlations were not measured here.
  expect(lines).toEqual({
    caption: expect.stringContaining("each cell line by all measures"),
    headings: ["setting", "model", "cell line", "Spearman, peaks", "AUROC"],
    rows: [
      ["probed", "hyena", "GM12878", "0.300", "0.400"],
      ["probed", "hyena", "K562", "0.400", "0.500"],
    ],
  });
  expect(others).toEqual([]);
});

test("settings and models are lines, protocols are separate tables", () => {
  const one = (form: Partial<Form>, value: number) =>
    stored({ task: "regulatory-elements", setting: "zero-shot", ...form }, [
      metric("paired-accuracy", value),
    ]);
  const tables = rowsOf([
    one({ model: "b", setting: "probed" }, 0.6),
    one({ model: "a" }, 0.7),
    one({ model: "a", protocol: "corrected" }, 0.71),
  ]);
  expect(tables.map(({ caption, rows }) => [caption.split("; ")[1], rows])).toEqual([
    [
      "paper protocol",
      [
        ["zero-shot", "a", "0.700"],
        ["probed", "b", "0.600"],
      ],
    ],
    ["corrected protocol", [["zero-shot", "a", "0.710"]]],
  ]);
});

describe("published numbers below a model on the benchmark's data", () => {
  const form = {
    task: "variant-effects",
    setting: "zero-shot",
    dataset: "African caQTLs",
    family: "hyenadna",
  };
  const sources = { variants: "african-caqtls", genome: "hg38" };
  const own = [metric("pearson", -0.0061, 0.02), metric("auroc", 0.486), metric("mann-whitney-p", 0.5)];

  test("in the columns of its own numbers", () => {
    const [main, more] = rowsOf([stored({ ...form, sources }, own)]);
    expect(main.rows).toEqual([
      ["zero-shot", "hyena", "−0.006 ± 0.020", "0.486"],
      ["zero-shot", "HyenaDNA, published", "−0.005", "0.486"],
    ]);
    expect(more.rows[1].slice(0, 2)).toEqual(["zero-shot", "HyenaDNA, published"]);
  });

  test.each([
    ["on custom data", {}],
    ["of other weights", { sources, checkpoint: null }],
    ["under the corrected protocol", { sources, protocol: "corrected" }],
  ] as const)("not %s", (_, change) => {
    expect(rowsOf([stored({ ...form, ...change }, own)])[0].rows.length).toBe(1);
  });

  test("for several cell lines, only on the benchmark's data", () => {
    const line = (dataset: string, change: object) =>
      stored({ task: "chromatin-activity", setting: "probed", family: "hyenadna", dataset, ...change }, [
        metric("spearman-peaks", 0.4),
      ]);
    const [main] = paperTables([line("GM12878", { sources: undefined }), line("K562", {})], published);
    expect(main.columns.map(({ heading }) => heading).slice(2)).toEqual(["GM12878 r", "K562 r"]);
    expect(main.rows.map((row) => row.map(cellText))).toEqual([
      ["probed", "hyena", "0.400", "0.400"],
      ["probed", "HyenaDNA, published", expect.stringMatching(/^0\.\d+$/), "–"],
    ]);
    expect(main.notes!.join()).toContain("Not on the benchmark's data: custom data: peaks.tsv");
  });
});

test("the supplement's metrics of Task 1 have a separate table", () => {
  const own = [metric("accuracy", 0.5), metric("auroc", 0.61), metric("auprc", 0.62)];
  const [, more] = rowsOf([stored({ task: "regulatory-elements", setting: "probed" }, own)]);
  expect(more).toEqual({
    caption: expect.stringMatching(/^Task 1, .*supplement/),
    headings: ["setting", "model", "AUROC", "AUPRC"],
    rows: [["probed", "hyena", "0.610", "0.620"]],
  });
});

test("as LaTeX and Markdown", () => {
  const tables = paperTables(
    [stored({ task: "regulatory-elements", setting: "probed" }, [metric("accuracy", 0.5, 0.01)])],
    published,
  );
  expect(tablesDocument(tables, "latex")).toContain("probed & hyena & 0.500 $\\pm$ 0.010 \\\\");
  expect(tablesDocument(tables, "md")).toContain("| probed | hyena | 0.500 ± 0.010 |");
});
