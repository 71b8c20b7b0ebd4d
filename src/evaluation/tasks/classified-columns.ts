import { correctness, predictedClasses } from "../../metrics/accuracy.ts";
import { crossEntropyOfRows } from "../../metrics/losses.ts";
import type { Matrix } from "../../metrics/matrix.ts";
import type { Protocol } from "../../models/model.ts";
import type { LogitsPrediction, RowFacts } from "./prediction.ts";

/** Predictions of a classifier as columns, by sequence: the members of a row follow each other. */
export interface ClassifiedColumns<Row extends RowFacts, Labels> {
  readonly predictions: readonly LogitsPrediction<Row>[];
  /** [sequences, classes] */
  readonly logits: Matrix;
  readonly labels: Labels;
  readonly predicted: Int32Array;
  readonly correct: Float64Array;
  /** Cross-entropies, nats. [sequences] */
  readonly losses: Float64Array;
}

/** @param labels  class of each sequence */
export function classifiedColumns<Row extends RowFacts, Labels extends ArrayLike<number>>(
  predictions: readonly LogitsPrediction<Row>[],
  labels: Labels,
  classes: number,
): ClassifiedColumns<Row, Labels> {
  const data = Float64Array.from(predictions.flatMap(({ logits }) => logits.flat()));
  const logits: Matrix = { data, rows: labels.length, columns: classes };
  const predicted = predictedClasses(logits);
  return {
    predictions,
    logits,
    labels,
    predicted,
    correct: correctness(predicted, labels),
    losses: crossEntropyOfRows(logits, labels),
  };
}

/** A value by the rules of each protocol. */
export const underEachProtocol = <Rules, T>(
  { paper, corrected }: Readonly<Record<Protocol, Rules>>,
  value: (rules: Rules) => T,
): Readonly<Record<Protocol, T>> => ({ paper: value(paper), corrected: value(corrected) });
