import { comparedDistances, comparedScores } from "../compared-scores.ts";
import { textFact } from "../fact-columns.ts";
import type { Predictions } from "../prediction.ts";
import { PredictionColumns } from "../prediction-columns.ts";
import type { RowView } from "../row-view.ts";
import type { MeasureContext } from "../task.ts";
import type { FootprintFacts } from "./rows.ts";

/** Rows as comparisons of a motif with its shuffled copy. */
export function viewFootprints(predictions: Predictions<FootprintFacts>, context: MeasureContext): RowView {
  const columns = PredictionColumns.of(predictions);
  const ofDistances = columns.kind === "distance";
  const { first, second } = ofDistances
    ? comparedDistances(columns.numbers("values", 0), columns.numbers("values", 1), context)
    : comparedScores(columns.numbers("values", 1), columns.numbers("values", 2), context);
  const values = first.map((one, i) => one - second[i]);
  const title = ofDistances
    ? "distance of the motif − distance of its shuffled copy"
    : "motif − shuffled motif, nats";
  const backgrounds = columns.factNumbers("background");
  return {
    rows: columns.rows,
    facts: [
      ...textFact(columns, "motif"),
      ...textFact(columns, "family"),
      ...textFact(columns, "strand"),
      ...(backgrounds === undefined ? [] : [{ title: "background", values: backgrounds }]),
    ],
    score: { title, values },
    merit: { kind: "score" },
    figures: [
      {
        kind: "distribution",
        title: `${title.charAt(0).toUpperCase()}${title.slice(1)}`,
        values,
        sides: ["prefers the motif", "prefers the shuffled copy"],
      },
    ],
  };
}
