import { counted } from "../../../base/message-text.ts";
import { averagePrecisionEstimate, averagePrecisionOver } from "../../../metrics/auprc.ts";
import { aurocEstimate, aurocOver } from "../../../metrics/auroc.ts";
import type { BlockStatistic } from "../../../metrics/blocks.ts";
import { pearson, pearsonOver, spearman, spearmanOver } from "../../../metrics/correlation.ts";
import { mean, meanOver } from "../../../metrics/mean.ts";
import { paperPearson, paperSpearman } from "../../../metrics/paper-correlation.ts";
import { areSingleRows, blockInterval, blockMetric, intervalNotes, NO_POSITIONS } from "../intervals.ts";
import { finiteOrNull, type Measurement, type Metric, metricOf, type QuirkEffect } from "../measurement.ts";
import type { Predictions } from "../prediction.ts";
import { recipeCount } from "../recipe.ts";
import type { MainStatistic, MeasureContext } from "../task.ts";
import { type ActivityColumns, type ActivityFacts, type ActivityParts, activityParts } from "./columns.ts";
import { errorsOf, meanOfBatches } from "./training.ts";

const PARTS = ["pos", "idr", "neg", "all"] as const;
type Part = (typeof PARTS)[number];

/** Each part's name in metrics, and its label in titles. */
const PART_NAMES = {
  pos: "peaks",
  idr: "high-confidence-peaks",
  neg: "non-peaks",
  all: "peaks-and-non-peaks",
} as const satisfies Record<Part, string>;
const LABELS: Readonly<Record<Part, string>> = {
  pos: "peaks",
  idr: "high-confidence peaks",
  neg: "non-peaks",
  all: "peaks and non-peaks",
};

/** Metrics of predicted activity. */
export type ActivityMetric =
  | "auroc"
  | "auprc"
  | `${"pearson" | "spearman" | "loss"}-${(typeof PART_NAMES)[Part]}`;

type Correlate = (predicted: ArrayLike<number>, target: ArrayLike<number>) => number;

/** Differences between the protocols, given the same predictions. */
interface Rules {
  readonly pearson: Correlate;
  readonly spearman: Correlate;
  /** Loss of a part, from the losses of its rows. */
  readonly loss: (errors: Float64Array, batchSize: number) => number;
  /** Loss of peaks and non-peaks together. */
  readonly lossOfAll: (parts: ActivityParts, batchSize: number) => number;
}

/** Rows have equal weights, equal values share a rank, sums are in float64. */
const CORRECTED: Rules = {
  pearson: (predicted, target) => pearson(predicted, target).r,
  spearman: (predicted, target) => spearman(predicted, target).r,
  loss: (errors) => mean(errors),
  lossOfAll: ({ all }) => mean(errorsOf(all)),
};

/**
 * The original's rules for language models: float32, equal values ranked in row order (quirk Q18), means of
 * batch means.
 */
const PAPER: Rules = {
  pearson: paperPearson,
  spearman: paperSpearman,
  loss: meanOfBatches,
  lossOfAll: ({ pos, neg }, size) =>
    (meanOfBatches(errorsOf(pos), size) + meanOfBatches(errorsOf(neg), size)) / 2,
};

/**
 * Metrics of trained models: the keys of the original's `eval_test.json`, and the same numbers with
 * intervals.
 */
export function measureActivity(
  predictions: Predictions<ActivityFacts>,
  context: MeasureContext,
): Measurement<ActivityMetric> {
  return measured(predictions, context, context.protocol === "paper" ? PAPER : CORRECTED);
}

/**
 * Metrics of a model's own predictions, which the original scored with SciPy: equal values share a rank under
 * both protocols.
 */
export function measurePredictedActivity(
  predictions: Predictions<ActivityFacts>,
  context: MeasureContext,
): Measurement<ActivityMetric> {
  return measured(predictions, context, CORRECTED);
}

/** Spearman's correlation over peaks, by the protocol's rule, over blocks of the genome. */
export const activityStatistic = (
  predictions: Predictions<ActivityFacts>,
  { protocol }: MeasureContext,
): MainStatistic<ActivityMetric> => spearmanOfPeaks(predictions, protocol === "paper" ? PAPER : CORRECTED);

/** Spearman's correlation over peaks with shared ranks, over blocks of the genome. */
export const predictedActivityStatistic = (
  predictions: Predictions<ActivityFacts>,
): MainStatistic<ActivityMetric> => spearmanOfPeaks(predictions, CORRECTED);

function spearmanOfPeaks(
  predictions: Predictions<ActivityFacts>,
  rules: Rules,
): MainStatistic<ActivityMetric> {
  const { predicted, target, blocks } = activityParts(predictions).pos;
  const countedRows = (times: Int32Array) => (values: Float64Array) =>
    values.filter((_, row) => times[blocks.of[row]] > 0);
  const statistic: BlockStatistic =
    rules === PAPER
      ? (times) => {
          const [x, y] = [predicted, target].map(countedRows(times));
          return x.length < 2 ? Number.NaN : rules.spearman(x, y);
        }
      : spearmanOver(predicted, target, blocks);
  return { metric: "spearman-peaks", blocks, statistic, range: [-1, 1] };
}

const ONE_CLASS = "there are no high-confidence peaks, or no non-peaks";

function measured(
  predictions: Predictions<ActivityFacts>,
  context: MeasureContext,
  rules: Rules,
): Measurement<ActivityMetric> {
  const parts = activityParts(predictions);
  const size = recipeCount(context, "evaluationBatchSize");
  const correlation = (kind: "pearson" | "spearman", part: Part, main = false): Metric<ActivityMetric> =>
    correlationMetric(kind, parts[part], { part, rules, main });
  const { predicted, labels, blocks } = parts.classified;
  const auroc = blockMetric(
    {
      name: "auroc",
      title: "AUROC, high-confidence peaks against non-peaks",
      column: "AUROC",
      better: "higher",
      main: false,
    },
    {
      blocks,
      statistic: aurocOver(predicted, labels, blocks),
      range: [0, 1],
      why: ONE_CLASS,
      independent: [aurocEstimate(predicted, labels)],
    },
  );
  const auprc = blockMetric(
    {
      name: "auprc",
      title: "AUPRC, high-confidence peaks against non-peaks",
      better: "higher",
      main: false,
    },
    {
      blocks,
      statistic: averagePrecisionOver(predicted, labels, blocks),
      range: [0, 1],
      why: ONE_CLASS,
      independent: [averagePrecisionEstimate(predicted, labels)],
    },
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

/** Intervals belong to the correlation with shared ranks; the original's form has none. */
function correlationMetric(
  kind: "pearson" | "spearman",
  { predicted, target, blocks }: ActivityColumns,
  { part, rules, main }: { readonly part: Part; readonly rules: Rules; readonly main: boolean },
): Metric<ActivityMetric> {
  const over = kind === "pearson" ? pearsonOver : spearmanOver;
  const value = predicted.length < 2 ? Number.NaN : rules[kind](predicted, target);
  const estimates =
    predicted.length < 2 || rules === PAPER
      ? []
      : [blockInterval(blocks, over(predicted, target, blocks), [-1, 1])];
  return metricOf(
    {
      name: `${kind}-${PART_NAMES[part]}`,
      title: `${kind === "pearson" ? "Pearson r" : "Spearman ρ"}, ${LABELS[part]}`,
      better: "higher",
      main,
    },
    value,
    predicted.length < 2
      ? `there are fewer than two ${LABELS[part]}`
      : `predictions or counts of the ${LABELS[part]} are all equal`,
    estimates,
  );
}

function lossMetric(
  part: Part,
  columns: ActivityColumns,
  value: number,
  rules: Rules,
): Metric<ActivityMetric> {
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
      name: `loss-${PART_NAMES[part]}`,
      title: `squared error, ${LABELS[part]}`,
      better: "lower",
      main: false,
    },
    value,
    `there are no ${LABELS[part]}`,
    estimates,
  );
}

function countsOf(
  predictions: Predictions<ActivityFacts>,
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
    rowsWithUnknownBases: countOf(predictions, "unknown"),
    rowsWithoutSignal: countOf(predictions, "unmeasured"),
    ...(areSingleRows(pos.blocks) ? {} : { genomicBlocks: pos.blocks.sizes.length }),
  };
}

const countOf = (predictions: Predictions<ActivityFacts>, fact: "unknown" | "unmeasured") =>
  Array.from(predictions).filter(({ facts }) => (facts[fact] ?? 0) > 0).length;

/** Effects of quirks: the values under both protocols. */
function quirksOf({ all, neg }: ActivityParts): readonly QuirkEffect[] {
  const under = ({ predicted, target }: ActivityColumns): QuirkEffect["effect"] => ({
    paper: finiteOrNull(PAPER.spearman(predicted, target)),
    corrected: finiteOrNull(CORRECTED.spearman(predicted, target)),
  });
  const description =
    "Spearman ρ. Original: equal values have consecutive ranks. Corrected: equal values share their mean rank. Many non-peaks have no counts.";
  return [
    ...(all.predicted.length < 2
      ? []
      : [{ label: "Q18", description: `${description} Over peaks and non-peaks.`, effect: under(all) }]),
    ...(neg.predicted.length < 2
      ? []
      : [
          { label: "Q18 non-peaks", description: `${description} Over non-peaks alone.`, effect: under(neg) },
        ]),
  ];
}

function notesOf(predictions: Predictions<ActivityFacts>, { pos }: ActivityParts): readonly string[] {
  const notes: string[] = [];
  if (areSingleRows(pos.blocks)) {
    notes.push(NO_POSITIONS);
  }
  const unmeasured = countOf(predictions, "unmeasured");
  if (unmeasured > 0) {
    notes.push(
      `${counted(unmeasured, "row")} on chromosomes without signal ${unmeasured === 1 ? "has" : "have"} a count of 0.`,
    );
  }
  return notes;
}
