import { expect, test } from "vitest";
import { readPublished } from "../../src/evaluation/published/read-published.ts";
import type { StoredResult } from "../../src/evaluation/runs/result.ts";
import type { Metric } from "../../src/evaluation/tasks/measurement.ts";
import { tablesDocument } from "../../src/report/documents.ts";
import { paperTables } from "../../src/report/paper-tables.ts";
import { cellText } from "../../src/report/tables/table.ts";

const published = await readPublished();

function metric(name: string, value: number, half?: number): Metric {
  const interval = { value, low: value - (half ?? 0), high: value + (half ?? 0), n: 9, method: "wald" };
  return {
    name,
    title: name,
    better: "higher",
    main: false,
    value,
    intervals: half === undefined ? [] : [interval],
  };
}

interface Form {
  readonly task: string;
  readonly setting: string;
  readonly dataset?: string;
  readonly model?: string;
  readonly family?: string;
  readonly protocol?: "paper" | "corrected";
  readonly inTable?: number;
}

function stored(form: Form, metrics: readonly Metric[]): StoredResult {
  const { model = "hyena", family, protocol = "paper", inTable = 100, ...cell } = form;
  const result = {
    cell: { ...cell, model: { name: model, identity: model }, protocol },
    rows: { inTable },
    ...(family === undefined ? {} : { family }),
    metrics,
    averages: {},
  };
  return { result } as unknown as StoredResult;
}

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
  ]);
  const [three, four, lines, ...others] = rowsOf([activity("K562", 0.4), activity("GM12878", 0.3), types]);
  expect(three).toEqual({
    caption: expect.stringMatching(/^Task 3, .*Table 4\); paper protocol$/),
    headings: ["setting", "model", "accuracy", "K562 AUROC"],
    rows: [["fine-tuned", "hyena", "0.500 ± 0.010", "0.800"]],
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

test("settings and models are lines, protocols are tables of their own", () => {
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

test("below a model that was asked of the benchmark's data stands what was published", () => {
  const form = {
    task: "variant-effects",
    setting: "predicted",
    dataset: "African caQTLs",
    family: "chrombpnet",
  };
  const own = [metric("pearson", 0.6712, 0.02), metric("auroc", 0.7716), metric("mann-whitney-p", 0)];
  const [main, more] = rowsOf([stored({ ...form, inTable: 219_382 }, own)]);
  expect(main!.rows).toEqual([
    ["predicted", "hyena", "0.671 ± 0.020", "0.772"],
    ["predicted", "ChromBPNet, published", "0.671", "0.772"],
  ]);
  expect(more!.rows[1]).toEqual(["predicted", "ChromBPNet, published", "0"]);
  expect(rowsOf([stored(form, own)])[0]!.rows.length).toBe(1);
});

test("as LaTeX and Markdown", () => {
  const tables = paperTables(
    [stored({ task: "regulatory-elements", setting: "probed" }, [metric("accuracy", 0.5, 0.01)])],
    published,
  );
  expect(tablesDocument(tables, "latex")).toContain("probed & hyena & 0.500 $\\pm$ 0.010 \\\\");
  expect(tablesDocument(tables, "md")).toContain("| probed | hyena | 0.500 ± 0.010 |");
});
