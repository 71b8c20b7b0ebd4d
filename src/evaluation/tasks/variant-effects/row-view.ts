import { genomicBlocks } from "../../../metrics/blocks.ts";
import { rowBasis, textFact } from "../fact-columns.ts";
import type { Predictions } from "../prediction.ts";
import { PredictionColumns } from "../prediction-columns.ts";
import type { FactColumn, RowFigure, RowView } from "../row-view.ts";
import type { MeasureContext } from "../task.ts";
import { evaluatedVariants } from "./evaluated-variants.ts";
import { orientationOf, type StoredVariantFacts, scoredVariants } from "./scores.ts";

/** Titles of the scores of two alleles. */
const SCORES = {
  likelihood: "log-likelihood ratio, nats",
  distance: "distance of the alleles",
  activity: "difference in log reads",
} as const;

/** Rows as variants: the score is the difference of the alleles, in the direction of the tabled effect. */
export function viewVariants(predictions: Predictions<StoredVariantFacts>, context: MeasureContext): RowView {
  const columns = PredictionColumns.of(predictions);
  const { variants, kind } = scoredVariants(columns, context);
  const { significant, controls, withEffect } = evaluatedVariants(variants, context.protocol);
  const favours = columns.factReader("favours")(0);
  const { difference, effect, label: direction } = orientationOf(favours, kind, context.protocol);
  const score = {
    title: SCORES[kind],
    values: Float64Array.from(variants, difference),
  };
  const effects = { title: "measured effect", values: Float64Array.from(variants, effect) };
  const labels = columns.factNumbers("significant");
  const label: FactColumn[] =
    labels === undefined
      ? []
      : [
          {
            title: "label",
            codes: Uint8Array.from(labels, (one) => (Number.isNaN(one) ? 0 : 2 - one)),
            texts: ["QTL", "control"],
          },
        ];
  const alleles = [...textFact(columns, "allele1", "allele 1"), ...textFact(columns, "allele2", "allele 2")];
  const both = [...significant, ...controls];
  const figures: RowFigure[] = [];
  if (significant.length > 0 && controls.length > 0) {
    figures.push({
      kind: "classification",
      title: `QTLs against controls, by ${kind === "distance" ? "distance" : "|difference|"}`,
      scores: Float64Array.from(both, (variant) => Math.abs(variant.difference)),
      labels: Uint8Array.from(both, (_, i) => (i < significant.length ? 1 : 0)),
      blocks: genomicBlocks(both.map(({ facts }) => facts)),
    });
  }
  if (withEffect.length > 0 && kind !== "distance") {
    figures.push({
      kind: "scatter",
      title: "Measured effect and score of QTLs",
      note: `Direction: ${direction}.`,
      x: { title: effects.title, values: Float64Array.from(withEffect, effect) },
      y: { title: score.title, values: Float64Array.from(withEffect, difference) },
      reference: "signs",
    });
  }
  return {
    ...rowBasis(columns).basis,
    facts: [...alleles, ...label, ...(effects.values.some((value) => !Number.isNaN(value)) ? [effects] : [])],
    score,
    ...(label.length === 0 ? {} : { merit: { kind: "class", fact: alleles.length, positive: "QTL" } }),
    figures,
  };
}
