import { counted } from "../../../base/message-text.ts";
import { averagePrecisionEstimate, averagePrecisionOver } from "../../../metrics/auprc.ts";
import { aurocEstimate, aurocOver } from "../../../metrics/auroc.ts";
import type { BlockStatistic, Blocks } from "../../../metrics/blocks.ts";
import { pearson, pearsonOver, spearman, spearmanOver } from "../../../metrics/correlation.ts";
import type { Estimate } from "../../../metrics/intervals.ts";
import { mean, meanOver } from "../../../metrics/mean.ts";
import { paperPearson, paperSpearman } from "../../../metrics/paper-correlation.ts";
import { blockInterval, intervalNotes } from "../intervals.ts";
import { finiteOrNull, type Measurement, type Metric, metricOf, type QuirkEffect } from "../measurement.ts";
import type { Predictions } from "../prediction.ts";
import { recipeCount } from "../recipe.ts";
import type { MeasureContext } from "../task.ts";
import { type ActivityColumns, type ActivityParts, activityParts } from "./columns.ts";
import { errorsOf, meanOfBatches } from "./training.ts";

type Part = "pos" | "idr" | "neg" | "all";
const PARTS = ["pos", "idr", "neg", "all"] as const satisfies readonly Part[];
const WORDS: Readonly<Record<Part, string>> = {
  pos: "peaks",
  idr: "high-confidence peaks",
  neg: "non-peaks",
  all: "peaks and non-peaks",
};

type Correlate = (predicted: ArrayLike<number>, target: ArrayLike<number>) => number;

/** What is done differently with the same predictions. */
interface Rules {
  readonly pearson: Correlate;
  readonly spearman: Correlate;
  /** Loss of a part, from the losses of its rows. */
  readonly loss: (errors: Float64Array, batchSize: number) => number;
  /** Loss of peaks and non-peaks together. */
  readonly lossOfAll: (parts: ActivityParts, batchSize: number) => number;
}

/** Every row counts alike, equal values share a rank, sums are in float64. */
const CORRECTED: Rules = {
  pearson: (predicted, target) => pearson(predicted, target).r,
  spearman: (predicted, target) => spearman(predicted, target).r,
  loss: (errors) => mean(errors),
  lossOfAll: ({ all }) => mean(errorsOf(all)),
};

/** As language models were scored: float32, ranks of equal values in row order (quirk Q18), means of means. */
const PAPER: Rules = {
  pearson: paperPearson,
  spearman: paperSpearman,
  loss: meanOfBatches,
  lossOfAll: ({ pos, neg }, size) =>
    (meanOfBatches(errorsOf(pos), size) + meanOfBatches(errorsOf(neg), size)) / 2,
};

/** What trained answers are worth: the original's `eval_test.json`, and beside it the numbers with intervals. */
export function measureActivity(predictions: Predictions, context: MeasureContext): Measurement {
  return measured(predictions, context, context.protocol === "paper" ? PAPER : CORRECTED);
}

/** The same for a model's own predictions, which the original scored with SciPy: equal values share a rank in either protocol. */
export function measurePredictedActivity(predictions: Predictions, context: MeasureContext): Measurement {
  return measured(predictions, context, CORRECTED);
}

function measured(predictions: Predictions, context: MeasureContext, rules: Rules): Measurement {
  const parts = activityParts(predictions);
  const size = recipeCount(context, "evaluationBatchSize");
  const { classified } = parts;
  const correlation = (kind: "pearson" | "spearman", part: Part, main = false): Metric =>
    correlationMetric(kind, parts[part], { part, rules, main });
  const auroc = overBlocks(
    {
      name: "auroc",
      title: "AUROC, high-confidence peaks against non-peaks",
      column: "AUROC",
      better: "higher",
    },
    classified.blocks,
    () => aurocOver(classified.predicted, classified.labels, classified.blocks),
    [0, 1],
    () => [aurocEstimate(classified.predicted, classified.labels)],
  );
  const auprc = overBlocks(
    { name: "auprc", title: "AUPRC, high-confidence peaks against non-peaks", better: "higher" },
    classified.blocks,
    () => averagePrecisionOver(classified.predicted, classified.labels, classified.blocks),
    [0, 1],
    () => [averagePrecisionEstimate(classified.predicted, classified.labels)],
  );
  const losses = PARTS.map((part) => [part, lossOf(part, parts, rules, size)] as const);
  const correlations = PARTS.map((part) => ({
    part,
    spearman: correlation("spearman", part, part === "pos"),
    pearson: correlation("pearson", part),
  }));
  const metrics = [
    correlations[0].spearman,
    auroc,
    correlations[0].pearson,
    auprc,
    ...correlations.slice(1).flatMap(({ spearman, pearson }) => [spearman, pearson]),
    ...losses.map(([part, value]) => lossMetric(part, parts[part], value, rules)),
  ];
  return {
    metrics,
    published: {
      ...Object.fromEntries(losses.map(([part, value]) => [`test_loss_${part}`, finiteOrNull(value)])),
      ...Object.fromEntries(
        correlations.flatMap(({ part, pearson, spearman }) => [
          [`test_pearson_${part}`, pearson.value],
          [`test_spearman_${part}`, spearman.value],
        ]),
      ),
      test_auroc: auroc.value,
      test_auprc: auprc.value,
    },
    counts: countsOf(predictions, parts, context),
    averages: {},
    quirks: rules === CORRECTED && context.protocol === "paper" ? [] : quirksOf(parts),
    notes: [...notesOf(predictions, parts), ...intervalNotes(metrics, parts.all.blocks)],
  };
}

function lossOf(part: Part, parts: ActivityParts, rules: Rules, size: number): number {
  return part === "all" ? rules.lossOfAll(parts, size) : rules.loss(errorsOf(parts[part]), size);
}

/** Intervals are those of the correlation with shared ranks; the original's own form has none. */
function correlationMetric(
  kind: "pearson" | "spearman",
  { predicted, target, blocks }: ActivityColumns,
  { part, rules, main }: { readonly part: Part; readonly rules: Rules; readonly main: boolean },
): Metric {
  const over = kind === "pearson" ? pearsonOver : spearmanOver;
  const value = predicted.length < 2 ? Number.NaN : rules[kind](predicted, target);
  const estimates =
    predicted.length < 2 || rules === PAPER
      ? []
      : [blockInterval(blocks, over(predicted, target, blocks), [-1, 1])];
  return metricOf(
    {
      name: `${kind}-${WORDS[part].replaceAll(" ", "-")}`,
      title: `${kind === "pearson" ? "Pearson" : "Spearman"} r, ${WORDS[part]}`,
      better: "higher",
      main,
    },
    value,
    predicted.length < 2
      ? `there are fewer than two rows of ${WORDS[part]}`
      : `predictions or counts of the ${WORDS[part]} are all equal`,
    estimates,
  );
}

function lossMetric(part: Part, columns: ActivityColumns, value: number, rules: Rules): Metric {
  const { length } = columns.predicted;
  const estimates =
    length === 0 || rules === PAPER
      ? []
      : [
          blockInterval(columns.blocks, meanOver(errorsOf(columns), columns.blocks), [
            0,
            Number.POSITIVE_INFINITY,
          ]),
        ];
  return metricOf(
    {
      name: `loss-${WORDS[part].replaceAll(" ", "-")}`,
      title: `squared error, ${WORDS[part]}`,
      better: "lower",
      main: false,
    },
    value,
    `there are no ${WORDS[part]}`,
    estimates,
  );
}

/** A statistic over genomic blocks, with what is known for independent rows beside it. */
function overBlocks(
  form: Pick<Metric, "name" | "title" | "column" | "better">,
  blocks: Blocks,
  statistic: () => BlockStatistic,
  range: readonly [number, number],
  independent: () => readonly Estimate[],
): Metric {
  const whole = { ...form, main: false };
  const none = "it needs both high-confidence peaks and non-peaks";
  if (blocks.of.length === 0) return metricOf(whole, Number.NaN, none);
  const estimate = blockInterval(blocks, statistic(), range);
  return metricOf(whole, estimate.value, none, [estimate, ...independent()]);
}

function countsOf(
  predictions: Predictions,
  { pos, idr, neg }: ActivityParts,
  { rowsInTable }: MeasureContext,
): Readonly<Record<string, number>> {
  return {
    rows: predictions.length,
    rowsInTable,
    peaks: pos.predicted.length,
    highConfidencePeaks: idr.predicted.length,
    nonPeaks: neg.predicted.length,
    nonPeaksWithoutCounts: neg.target.filter((target) => target === 0).length,
    rowsWithUnknownLetters: countOf(predictions, "unknown"),
    rowsWithoutSignal: countOf(predictions, "unmeasured"),
    ...(pos.blocks.kind === "row" ? {} : { genomicBlocks: pos.blocks.sizes.length }),
  };
}

const countOf = (predictions: Predictions, fact: string) =>
  Array.from(predictions).filter(({ facts }) => Number(facts[fact] ?? 0) > 0).length;

/** What each protocol would print for these predictions. */
function quirksOf({ all, neg }: ActivityParts): readonly QuirkEffect[] {
  const under = ({ predicted, target }: ActivityColumns): QuirkEffect["effect"] => ({
    paper: finiteOrNull(PAPER.spearman(predicted, target)),
    corrected: finiteOrNull(CORRECTED.spearman(predicted, target)),
  });
  const says =
    "The original gives equal values consecutive ranks in its Spearman correlation; corrected, they share the mean of their ranks. Many non-peaks have no counts at all.";
  return [
    ...(all.predicted.length < 2
      ? []
      : [{ label: "Q18", says: `${says} Over peaks and non-peaks.`, effect: under(all) }]),
    ...(neg.predicted.length < 2
      ? []
      : [{ label: "Q18 non-peaks", says: `${says} Over non-peaks alone.`, effect: under(neg) }]),
  ];
}

function notesOf(predictions: Predictions, { pos }: ActivityParts): readonly string[] {
  const notes: string[] = [];
  if (pos.blocks.kind === "row") {
    notes.push(
      "Where the rows lie is not known, so intervals take them as independent, which neighbours are not.",
    );
  }
  const unmeasured = countOf(predictions, "unmeasured");
  if (unmeasured > 0) {
    notes.push(
      `${counted(unmeasured, "row")} ${unmeasured === 1 ? "is" : "are"} on chromosomes that the signal does not have; what is counted there is taken as 0.`,
    );
  }
  return notes;
}
