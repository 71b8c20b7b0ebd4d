import { InternalError } from "../../base/errors.ts";
import type { NdArray } from "../../net/arrays/array.ts";
import { input, squeeze } from "../../net/graph/build.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { crossEntropy, meanSquaredError } from "../../net/nn/losses.ts";
import type { Prediction } from "../tasks/prediction.ts";
import type { LabelledRow, Supervision } from "../tasks/task.ts";

/** Outputs of a network per sequence: a logit per class, or one predicted value. */
export const outputsOf = (supervision: Supervision) =>
  supervision.loss === "cross-entropy" ? supervision.classes : 1;

/**
 * The loss of a batch, a mean over its sequences, with an input `labels` [b].
 * @param output  [b, outputs]
 */
export function lossOf({ loss }: Supervision, output: Sym): Sym {
  return loss === "cross-entropy"
    ? crossEntropy(output, input("labels", "int32", ["b"]))
    : meanSquaredError(squeeze(output, 1), input("labels", "float32", ["b"]));
}

/** The input `labels` of the loss. */
export function labelsArray({ loss }: Supervision, labels: readonly number[]): NdArray {
  return loss === "cross-entropy"
    ? { dtype: "int32", shape: [labels.length], data: Int32Array.from(labels) }
    : { dtype: "float32", shape: [labels.length], data: Float32Array.from(labels) };
}

/**
 * One prediction per row from a network's outputs for its members: logits, or the predicted activity.
 * @param output  float32 [b, outputs]; b is the number of members of all rows
 */
export function predictionsOf(
  supervision: Supervision,
  examples: readonly LabelledRow[],
  output: NdArray,
): readonly Prediction[] {
  const all = outputValues(output);
  const outputs = outputsOf(supervision);
  const perRow = all.length / examples.length;
  return examples.map(({ row, facts }, i): Prediction => {
    const values = all.subarray(i * perRow, (i + 1) * perRow);
    if (supervision.loss === "squared-error") return { kind: "activity", row, values: [...values], facts };
    const logits = Array.from({ length: perRow / outputs }, (_, member) => [
      ...values.subarray(member * outputs, (member + 1) * outputs),
    ]);
    return { kind: "logits", row, logits, facts };
  });
}

/** Values of a network's output. @throws {InternalError} when they are not float32 */
export function outputValues({ data }: NdArray): Float32Array {
  if (data instanceof Float32Array) return data;
  throw new InternalError("a network's outputs are float32");
}
