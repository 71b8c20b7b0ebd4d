import { correctness, predictedClasses } from "../../metrics/accuracy.ts";
import { crossEntropyOfRows } from "../../metrics/losses.ts";
import type { Matrix } from "../../metrics/matrix.ts";
import { sum } from "../../metrics/mean.ts";
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

/**
 * Quirk Q13: sum over batches of the mean losses of each member, divided by the number of sequences: about
 * the mean divided by the batch size.
 *
 * @param losses     [sequences], the members of a row after each other
 * @param batchSize  rows of a batch
 * @param members    sequences of a row
 */
export function summedBatchMeans(losses: Float64Array, batchSize: number, members = 1): number {
  const sums: number[] = [];
  for (let start = 0; start < losses.length; start += members * batchSize) {
    const batch = losses.subarray(start, start + members * batchSize);
    sums.push((members * sum(batch)) / batch.length);
  }
  return sum(sums) / losses.length;
}

/** A value by the rules of each protocol. */
export const underEachProtocol = <Rules, T>(
  { paper, corrected }: Readonly<Record<Protocol, Rules>>,
  value: (rules: Rules) => T,
): Readonly<Record<Protocol, T>> => ({ paper: value(paper), corrected: value(corrected) });
