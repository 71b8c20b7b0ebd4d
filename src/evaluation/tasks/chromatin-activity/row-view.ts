import { InternalError } from "../../../base/errors.ts";
import { blocksBy } from "../../../metrics/blocks.ts";
import { rowBasis } from "../fact-columns.ts";
import type { Predictions } from "../prediction.ts";
import { PredictionColumns } from "../prediction-columns.ts";
import type { RowView } from "../row-view.ts";
import type { ActivityFacts, ActivitySet } from "./columns.ts";

/** Rows with observed and predicted reads. */
export function viewActivity(predictions: Predictions<ActivityFacts>): RowView {
  const columns = PredictionColumns.of(predictions, "activity");
  const { basis, blocks } = rowBasis(columns);
  const sets = columns.factTexts("set");
  const counts = columns.factNumbers("counts");
  if (sets === undefined || counts === undefined) throw new InternalError("rows without a set or reads");
  const observed = { title: "observed, ln(1 + reads)", values: Float64Array.from(counts, Math.log1p) };
  const score = { title: "predicted, ln(1 + reads)", values: columns.numbers("values", 0) };
  const isOf = (set: ActivitySet) => {
    const code = sets.texts.indexOf(set) + 1;
    return (i: number) => code > 0 && sets.codes[i] === code;
  };
  const [isPeak, isConfident, isNonPeak] = [isOf("peaks"), isOf("idr"), isOf("nonpeaks")];
  const places = Uint32Array.from(sets.codes.keys());
  const classified = places.filter((i) => isConfident(i) || isNonPeak(i));
  return {
    ...basis,
    facts: [{ title: "set", ...sets }, observed],
    score,
    merit: { kind: "error", fact: 1 },
    figures: [
      {
        kind: "scatter",
        title: "Observed and predicted reads of peaks",
        x: { ...observed, values: observed.values.map((value, i) => (isPeak(i) ? value : Number.NaN)) },
        y: score,
        reference: "identity",
      },
      {
        kind: "classification",
        title: "High-confidence peaks against non-peaks",
        scores: Float64Array.from(classified, (i) => score.values[i]),
        labels: Uint8Array.from(classified, (i) => (isConfident(i) ? 1 : 0)),
        blocks: blocksBy(
          Int32Array.from(classified, (i) => blocks.of[i]),
          blocks.kind,
        ),
      },
    ],
  };
}
