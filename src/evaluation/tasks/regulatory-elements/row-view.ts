import { classLogOdds } from "../../../metrics/log-odds.ts";
import { comparedScores } from "../compared-scores.ts";
import { rowBasis } from "../fact-columns.ts";
import type { Predictions } from "../prediction.ts";
import { PredictionColumns } from "../prediction-columns.ts";
import type { RowView } from "../row-view.ts";
import type { MeasureContext } from "../task.ts";
import type { PairFacts } from "./rows.ts";

/** Class of elements in a trained model's logits. */
const ELEMENT = 1;

/** Rows as pairs: the score is that of the element minus that of its control. */
export function viewPairs(predictions: Predictions<PairFacts>, context: MeasureContext): RowView {
  const columns = PredictionColumns.of(predictions);
  return columns.kind === "logits" ? classifiedPairs(columns) : scoredPairs(columns, context);
}

function scoredPairs(columns: PredictionColumns<PairFacts>, context: MeasureContext): RowView {
  const { first, second } = comparedScores(
    columns.numbers("values", 0),
    columns.numbers("values", 1),
    context,
  );
  const values = first.map((score, i) => score - second[i]);
  const score = { title: "element − control, nats", values };
  return {
    ...rowBasis(columns).basis,
    facts: [],
    score,
    merit: { kind: "score" },
    figures: [
      {
        kind: "distribution",
        title: "Element minus control, nats",
        values,
        sides: ["prefers the element", "prefers the control"],
      },
    ],
  };
}

function classifiedPairs(columns: PredictionColumns<PairFacts>): RowView {
  const { basis, blocks } = rowBasis(columns);
  const rows = columns.length;
  const logOdds = [0, 1].map((member) => {
    const data = new Float64Array(2 * rows);
    for (const label of [0, 1]) {
      columns.numbers(`member ${member}`, label).forEach((logit, i) => {
        data[2 * i + label] = logit;
      });
    }
    return classLogOdds({ data, rows, columns: 2 }, ELEMENT);
  });
  const [element, control] = logOdds;
  const score = { title: "log-odds of element − control", values: element.map((one, i) => one - control[i]) };
  const twice = {
    of: new Int32Array(2 * rows),
    sizes: blocks.sizes.map((size) => 2 * size),
    kind: blocks.kind,
  };
  twice.of.set(blocks.of);
  twice.of.set(blocks.of, rows);
  return {
    ...basis,
    facts: [],
    score,
    merit: { kind: "score" },
    figures: [
      {
        kind: "classification",
        title: "Elements against controls",
        scores: Float64Array.from([...element, ...control]),
        labels: Uint8Array.from({ length: 2 * rows }, (_, i) => (i < rows ? 1 : 0)),
        blocks: twice,
        calibrated: true,
      },
    ],
  };
}
