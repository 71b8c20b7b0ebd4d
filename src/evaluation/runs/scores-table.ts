import { paperScores } from "../tasks/compared-scores.ts";
import type { Prediction, Predictions } from "../tasks/prediction.ts";
import type { ScoreTable } from "../tasks/task.ts";
import type { CellRecord } from "./cell.ts";

/** Scores as written to scores.tsv: under `paper` in the precision of the comparison. */
export function* writtenScores({ cell }: CellRecord, predictions: Predictions): Generator<Prediction> {
  for (const prediction of predictions) {
    yield cell.protocol === "paper" && prediction.kind === "likelihood"
      ? { ...prediction, values: paperScores(prediction.values, cell.model.scoreRounding) }
      : prediction;
  }
}

/** Contents of scores.tsv: one line per row, in row order. */
export function* scoresTable(scores: ScoreTable, predictions: Iterable<Prediction>): Generator<string> {
  let text = `${scores.columns.join("\t")}\n`;
  for (const prediction of predictions) {
    text += `${scores.line(prediction).join("\t")}\n`;
    if (text.length < 2 ** 18) continue;
    yield text;
    text = "";
  }
  yield text;
}
