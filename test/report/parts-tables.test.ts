import { expect, test } from "vitest";
import { CELL_LINES } from "../../src/datasets/cell-lines.ts";
import { measureCellTypes } from "../../src/evaluation/tasks/cell-type-elements/classified.ts";
import type { CellTypeFacts } from "../../src/evaluation/tasks/cell-type-elements/subset.ts";
import type { LogitsPrediction } from "../../src/evaluation/tasks/prediction.ts";
import type { Entry } from "../../src/report/panels.ts";
import { partsTables } from "../../src/report/parts-tables.ts";

/** Rows of each cell line in turn; the model predicts HEPG2 for every K562 and is correct otherwise. */
function entry(label: string, protocol: "paper" | "corrected"): Entry {
  const predictions = Array.from({ length: 20 }, (_, row): LogitsPrediction<CellTypeFacts> => {
    const line = row % 5;
    const logits = CELL_LINES.map((_name, i) => (i === (line === 4 ? 2 : line) ? 3 : 0.01 * row));
    const facts = {
      chrom: "chr5",
      start: 1e6 * row,
      end: 1e6 * row + 500,
      label: CELL_LINES[line],
      unknown: 0,
    };
    return { kind: "logits", row, logits: [logits], facts };
  });
  const context = {
    protocol,
    seed: 0,
    rowsInTable: 100,
    recipe: { evaluationBatchSize: 4, saturated: "minus-999" },
  };
  const result = measureCellTypes(predictions, context);
  return { label, protocol, result, main: result.metrics[0] } as unknown as Entry;
}

test("metrics by cell line, and one confusion matrix if both protocols agree", () => {
  const [parts, confusion, ...more] = partsTables({
    entries: [entry("toy", "corrected"), entry("toy", "paper")],
  });
  expect(more).toEqual([]);
  expect(parts.columns.map(({ heading }) => heading)).toEqual([
    ...[
      "model",
      "protocol",
      "class",
      "AUROC ↑",
      "AUPRC ↑",
      "Matthews correlation ↑",
      "one-vs-rest accuracy ↑",
    ],
  ]);
  expect(parts.rows.map(([model, , part]) => [model, part])).toContainEqual(["toy", "K562"]);
  expect(new Set(parts.rows.map(([, , part]) => part)).size).toBe(5);
  expect(confusion.caption).toContain("toy: rows of each cell line");
  expect(confusion.rows).toContainEqual(["K562", "0", "0", "4", "0", "0"]);
  expect(confusion.rows).toContainEqual(["HEPG2", "0", "0", "4", "0", "0"]);
});

test("no tables for a task without classes", () => {
  const { result, ...rest } = entry("toy", "corrected");
  const { breakdowns: _, ...whole } = result;
  const metrics = result.metrics.filter(({ of }) => of === undefined);
  expect(partsTables({ entries: [{ ...rest, result: { ...whole, metrics } } as Entry] })).toEqual([]);
});
