import { z } from "zod";
import { InputError } from "../../../base/errors.ts";
import { pearson, spearman } from "../../../metrics/correlation.ts";
import { squaredErrors } from "../../../metrics/losses.ts";
import { mean, sum } from "../../../metrics/mean.ts";
import { paperPearson, paperSpearman } from "../../../metrics/paper-correlation.ts";
import { shuffledPlaces } from "../../../net/train/batches.ts";
import type { Predictions } from "../prediction.ts";
import { type Recipe, recipeCount } from "../recipe.ts";
import type { LabelledRow, MeasureContext } from "../task.ts";
import { type ActivityColumns, type ActivityParts, activityParts, setOf } from "./columns.ts";

/** What an epoch sees of the non-peaks, of which there are many more than there are peaks. */
const epochFields = z.object({
  /** One of so many non-peaks is seen in an epoch; every peak is. */
  negativeRatio: z.int("a whole number is expected").positive(),
  /**
   * "strided": every n-th from row e mod n on in epoch e. "segments": the list is cut into n parts of neighbours, part e mod n
   * is seen. "first-segment": the first of these parts in every epoch (quirk Q3).
   */
  negatives: z.enum(["strided", "segments", "first-segment"]),
  order: z.enum(["file", "shuffled"]),
  trainingSeed: z.int().nonnegative(),
});

/** @throws {InputError} naming the value that is not possible */
export function checkEpochRecipe(recipe: Recipe): void {
  readEpochRecipe(recipe);
}

function readEpochRecipe(recipe: Recipe) {
  const parsed = epochFields.safeParse(recipe);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = issue?.path.join(".") ?? "";
  throw new InputError(
    `${name} of the recipe is ${JSON.stringify(recipe[name]) ?? "absent"}: ${issue?.message}`,
  );
}

/**
 * The rows of an epoch: all peaks and a part of the non-peaks, in file order laid into each other evenly, or in an order drawn
 * anew. A function of the arguments alone.
 *
 * @param rows  the training rows, in row order
 * @returns     0-based places among them
 */
export function activityEpoch(rows: readonly LabelledRow[], epoch: number, recipe: Recipe): Int32Array {
  const { negativeRatio, negatives, order, trainingSeed } = readEpochRecipe(recipe);
  const placesOf = (set: string) => rows.flatMap((row, place) => (setOf(row) === set ? [place] : []));
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

/** Part of a list cut into `parts` at the roundings of equal shares; halves round to even, as NumPy's `round` does. */
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
 * Lists laid into each other so that all end together: next comes the list of which the smallest share was taken; of equal
 * shares that of which fewer were taken, then the shorter list, then the earlier.
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

/** How the original walks over the validation rows: peaks and non-peaks laid into each other, or one after the other. */
export type ValidationOrder = "interleaved" | "apart";

/**
 * Columns of the original's `train.log` after `epoch`.
 *
 * Paper: the mean of the batches' mean losses, in batches of the training's size, over the validation peaks and all validation
 * non-peaks, of which there are many more than in training (quirk Q32). Corrected: the mean over rows, with the non-peaks together counting as much as those of a
 * training epoch. A correlation that is undefined is 0, as the original has it.
 */
export function validateActivity(
  predictions: Predictions,
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

function balancedLoss({ pos, neg }: ActivityParts, { recipe }: MeasureContext): number {
  const weight = 1 / Number(recipe.negativeRatio);
  const [peaks, nonpeaks] = [errorsOf(pos), errorsOf(neg)];
  return (sum(peaks) + weight * sum(nonpeaks)) / (peaks.length + weight * nonpeaks.length);
}

/** (log(1 + counts) − prediction)² of each row. */
export const errorsOf = ({ predicted, target }: Pick<ActivityColumns, "predicted" | "target">) =>
  squaredErrors(predicted, target);

/**
 * The mean of the batches' mean losses, which counts a row of a short last batch for more than another (quirk Q11).
 * @returns  NaN where there is no row
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
