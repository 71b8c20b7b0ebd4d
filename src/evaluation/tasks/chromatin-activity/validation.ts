import { pearson, spearman } from "../../../metrics/correlation.ts";
import { mean, sum } from "../../../metrics/mean.ts";
import { paperPearson, paperSpearman } from "../../../metrics/paper-correlation.ts";
import type { Predictions } from "../prediction.ts";
import { recipeCount } from "../recipe.ts";
import type { MeasureContext } from "../task.ts";
import { type ActivityColumns, type ActivityParts, activityParts } from "./columns.ts";
import { interleaved } from "./epoch.ts";
import { batchMeans, errorsOf, meanOfBatches } from "./loss.ts";

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
