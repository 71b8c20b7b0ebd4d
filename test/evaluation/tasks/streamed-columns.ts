import { ColumnsBuilder } from "../../../src/evaluation/tasks/columns-builder.ts";
import type { Predictions, RowFacts } from "../../../src/evaluation/tasks/prediction.ts";
import { PredictionColumns } from "../../../src/evaluation/tasks/prediction-columns.ts";

/** Predictions as columns on disk, of which `blockNumbers` numbers are in memory together. */
export function streamed<Row extends RowFacts>(
  predictions: Predictions<Row>,
  blockNumbers = 16,
): PredictionColumns<Row> {
  const columns = PredictionColumns.of(predictions);
  const builder = new ColumnsBuilder(columns.length, undefined, { memory: 0, blockNumbers });
  for (let at = 0; at < columns.length; at += 10) builder.add(columns.slice(at, at + 10));
  return builder.done() as PredictionColumns<Row>;
}
