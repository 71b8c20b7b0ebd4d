import { z } from "zod";
import { pearson, spearman } from "../../../metrics/correlation.ts";
import { squaredErrors } from "../../../metrics/losses.ts";
import { mean, sum } from "../../../metrics/mean.ts";
import { paperPearson, paperSpearman } from "../../../metrics/paper-correlation.ts";
import { shuffledPlaces } from "../../../net/train/batches.ts";
import type { Predictions } from "../prediction.ts";
import { type Recipe, readRecipe, recipeCount } from "../recipe.ts";
import type { MeasureContext } from "../task.ts";
import {
  type ActivityColumns,
  type ActivityFacts,
  type ActivityParts,
  type ActivitySet,
  activityParts,
} from "./columns.ts";

/** Recipe values that select the non-peaks of an epoch, since there are many more of them than peaks. */
const epochFields = z.object({
  /** An epoch has every peak and one of this many non-peaks. */
  negativeRatio: z.int().positive(),
  /**
   * "strided": every n-th non-peak, starting at e mod n in epoch e. "segments": segment e mod n of n equal
   * segments. "first-segment": the first segment in every epoch (quirk Q3).
   */
  negatives: z.enum(["strided", "segments", "first-segment"]),
  order: z.enum(["file", "shuffled"]),
  trainingSeed: z.int().nonnegative(),
});

/** @throws {InputError} naming the invalid value */
export function checkEpochRecipe(recipe: Recipe): void {
  readRecipe(epochFields, recipe);
}

/**
 * Rows of an epoch: all peaks and a part of the non-peaks, evenly interleaved in file order, or shuffled. A
 * function of the arguments alone.
 *
 * @param rows  the training rows, in row order
 * @returns     0-based indices into `rows`
 */
export function activityEpoch(
  rows: readonly { readonly facts: Pick<ActivityFacts, "set"> }[],
  epoch: number,
  recipe: Recipe,
): Int32Array {
  const { negativeRatio, negatives, order, trainingSeed } = readRecipe(epochFields, recipe);
  const placesOf = (set: ActivitySet) => rows.flatMap(({ facts }, i) => (facts.set === set ? [i] : []));
  const peaks = placesOf("peaks");
  const all = placesOf("nonpeaks");
  const part = negatives === "first-segment" ? 0 : epoch % negativeRatio;
  const seen =
    negatives === "strided" ? everyNth(all, part, negativeRatio) : segment(all, part, negativeRatio);
  if (order === "file") return Int32Array.from(interleaved([peaks, seen]));
  const together = [...peaks, ...seen];
  return shuffledPlaces(together.length, trainingSeed, epoch).map((i) => together[i]);
}

const everyNth = (places: readonly number[], from: number, step: number) =>
  places.filter((_, i) => i % step === from);

/** One of `parts` equal segments of a list; boundaries are rounded half to even, as by NumPy's `round`. */
export function segment<T>(list: readonly T[], part: number, parts: number): readonly T[] {
  const boundary = (i: number) => roundHalfEven(i === parts ? list.length : i * (list.length / parts));
  return list.slice(boundary(part), boundary(part + 1));
}

function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

/**
 * Lists interleaved so that all end together: the next element is from the list of which the smallest share
 * is taken; ties go to the list with fewer elements taken, then to the shorter, then to the earlier list.
 */
export function interleaved<T>(lists: readonly (readonly T[])[]): T[] {
  const taken = lists.map(() => 0);
  const result: T[] = [];
  const total = lists.reduce((sum, list) => sum + list.length, 0);
  while (result.length < total) {
    let next = -1;
    for (const [i, list] of lists.entries()) {
      if (taken[i] < list.length && (next === -1 || isBefore(i, next))) next = i;
    }
    result.push(lists[next][taken[next]]);
    taken[next]++;
  }
  return result;

  function isBefore(a: number, b: number): boolean {
    const [lengthA, lengthB] = [lists[a].length, lists[b].length];
    return (taken[a] / lengthA - taken[b] / lengthB || taken[a] - taken[b] || lengthA - lengthB || a - b) < 0;
  }
}

/** Order of the original's validation rows: peaks and non-peaks interleaved, or one after the other. */
export type ValidationOrder = "interleaved" | "apart";

/**
 * Columns of the original's `train.log` after `epoch`.
 *
 * Paper: mean of the batches' mean losses, in batches of the training size, over the validation peaks and all
 * validation non-peaks, which are more numerous than in training (quirk Q32). Corrected: mean over rows, with
 * the non-peaks weighted like those of a training epoch. An undefined correlation is 0, as in the original.
 */
export function validateActivity(
  predictions: Predictions<ActivityFacts>,
  context: MeasureContext,
  order: ValidationOrder,
): Readonly<Record<string, number>> {
  const parts = activityParts(predictions);
  const paper = context.protocol === "paper";
  const columns = (of: ActivityColumns) => ({
    pearson: paper ? paperPearson(of.predicted, of.target) : pearson(of.predicted, of.target).r || 0,
    spearman: paper ? paperSpearman(of.predicted, of.target) : spearman(of.predicted, of.target).r || 0,
  });
  const [all, peaks] = [columns(parts.all), columns(parts.pos)];
  return {
    val_loss: paper ? publishedLoss(parts, context, order) : balancedLoss(parts, context),
    val_pearson_all: all.pearson,
    val_spearman_all: all.spearman,
    val_pearson_peaks: peaks.pearson,
    val_spearman_peaks: peaks.spearman,
  };
}

function publishedLoss({ pos, neg }: ActivityParts, context: MeasureContext, order: ValidationOrder): number {
  const size = recipeCount(context, "batchSize");
  const errors = [errorsOf(pos), errorsOf(neg)];
  if (order === "interleaved") {
    return meanOfBatches(Float64Array.from(interleaved(errors.map((of) => [...of]))), size);
  }
  return mean(errors.flatMap((of) => batchMeans(of, size)));
}

function balancedLoss({ pos, neg }: ActivityParts, context: MeasureContext): number {
  const weight = 1 / recipeCount(context, "negativeRatio");
  const [peaks, nonpeaks] = [errorsOf(pos), errorsOf(neg)];
  return (sum(peaks) + weight * sum(nonpeaks)) / (peaks.length + weight * nonpeaks.length);
}

/** (log(1 + counts) − prediction)² of each row. */
export const errorsOf = ({ predicted, target }: Pick<ActivityColumns, "predicted" | "target">) =>
  squaredErrors(predicted, target);

/**
 * Mean of the batches' mean losses, in which rows of a short last batch weigh more (quirk Q11).
 * @returns  NaN without rows
 */
export function meanOfBatches(errors: Float64Array, batchSize: number): number {
  const means = batchMeans(errors, batchSize);
  return sum(means) / means.length;
}

function batchMeans(errors: Float64Array, batchSize: number): number[] {
  const means: number[] = [];
  for (let start = 0; start < errors.length; start += batchSize) {
    means.push(mean(errors.subarray(start, start + batchSize)));
  }
  return means;
}
