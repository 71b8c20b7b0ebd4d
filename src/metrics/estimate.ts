import { InputError } from "../base/errors.ts";
import { accuracyEstimate, correctness } from "./accuracy.ts";
import {
  adjustedMutualInformationOver,
  adjustedMutualInformationWithout,
} from "./adjusted-mutual-information.ts";
import { averagePrecisionEstimate, averagePrecisionOver } from "./auprc.ts";
import { aurocEstimate, aurocOver } from "./auroc.ts";
import { blockEstimate, compareOver, type ModelComparison } from "./block-estimate.ts";
import { type BlockStatistic, type Blocks, type GenomicRow, genomicBlocks, singleRows } from "./blocks.ts";
import { clusteredProportion } from "./clustered-proportion.ts";
import { pearsonEstimate, pearsonOver, spearmanEstimate, spearmanOver } from "./correlation.ts";
import { requireSameLength } from "./input-checks.ts";
import type { Estimate } from "./intervals.ts";
import { jackknifeOf } from "./jackknife.ts";
import { confusion, matthewsEstimate, matthewsOver } from "./matthews.ts";
import { meanOver } from "./mean.ts";
import { meanSquaredErrorEstimate, meanSquaredErrorOver } from "./mean-squared-error.ts";
import { pairedAccuracyEstimate, pairedCounts, pairedOutcomes } from "./paired-accuracy.ts";

type Numbers = ArrayLike<number>;

/** Metrics of `estimate` and `compare`; the names of the two columns they take are in `estimate`. */
export type EstimatedMetric =
  | "auroc"
  | "mann-whitney-u"
  | "average-precision"
  | "accuracy"
  | "matthews"
  | "paired-accuracy"
  | "pearson"
  | "spearman"
  | "mean-squared-error"
  | "adjusted-mutual-information";

/** Options of `estimate` and `compare`. */
export interface EstimateOptions {
  /**
   * Genomic interval of each row, 0-based and half-open: the interval of the metric then accounts for the
   * correlation of neighbouring rows (block jackknife). Absent: rows are taken as independent.
   */
  readonly positions?: readonly GenomicRow[];
  /** Confidence level of the interval, default 0.95. */
  readonly level?: number;
}

/**
 * A metric with its confidence interval.
 *
 *     const { value, low, high } = estimate("auroc", scores, labels, { positions });
 *
 * | metric | scores | targets |
 * | :--- | :--- | :--- |
 * | `auroc`, `average-precision` | any numbers, higher for positives | 1 positive, 0 negative |
 * | `mann-whitney-u` | any numbers | 1 first sample, 0 second sample |
 * | `accuracy` | predicted class, from 0 | class, from 0 |
 * | `matthews` | predicted class, 0 or 1 | class, 0 or 1 |
 * | `paired-accuracy` | scores of the elements | scores of their controls; a tie counts one half |
 * | `pearson`, `spearman`, `mean-squared-error` | predicted numbers | measured numbers |
 * | `adjusted-mutual-information` | cluster, from 0 | class, from 0 |
 *
 * `mann-whitney-u` is AUROC × n₁n₂, the pairs in which the first sample is higher, with the interval of the
 * AUROC for the given sample sizes; `mannWhitney` has the p-value of its test. The interval of
 * `adjusted-mutual-information` is that of the rows for given clusters: clusters of other rows may differ.
 *
 * @param scores   one per row
 * @param targets  one per row, in the same order
 * @returns        value NaN where the metric is undefined (no rows, one class only); bounds NaN where no
 *                 interval can be computed
 * @throws {InputError} when the lengths differ, a value is not finite or not of the kind in the table, or the
 *                      level is outside (0, 1)
 */
export function estimate(
  metric: EstimatedMetric,
  scores: Numbers,
  targets: Numbers,
  { positions, level = 0.95 }: EstimateOptions = {},
): Estimate {
  const { ofRows, ofBlocks } = estimatorOf(metric);
  requireSameLength(scores, targets, ["scores", "targets"]);
  if (positions === undefined) return ofRows(scores, targets, level);
  requireSameLength(scores, positions, ["scores", "positions"]);
  return ofBlocks(scores, targets, genomicBlocks(positions), level);
}

/**
 * Two models on the same rows, compared by one metric: the jackknife leaves out the same rows for both, so
 * that the difficulty of rows cancels.
 *
 *     const { difference, p } = compare("auroc", scoresOfA, scoresOfB, labels, { positions });
 *
 * @param first    scores of the first model, as `estimate` takes them
 * @param second   scores of the second model, in the same order
 * @returns        the metric of the first model minus that of the second, with its interval, and the
 *                 two-sided p-value for no difference; bounds and p NaN where they are undefined
 * @throws {InputError} as `estimate`
 */
export function compare(
  metric: Exclude<EstimatedMetric, "paired-accuracy">,
  first: Numbers,
  second: Numbers,
  targets: Numbers,
  { positions, level = 0.95 }: EstimateOptions = {},
): ModelComparison {
  const { over } = estimatorOf(metric);
  requireSameLength(first, second, ["scores of the first model", "scores of the second model"]);
  requireSameLength(first, targets, ["scores", "targets"]);
  if (positions !== undefined) requireSameLength(first, positions, ["scores", "positions"]);
  const blocks = positions === undefined ? singleRows(first.length) : genomicBlocks(positions);
  return compareOver(blocks, over(first, targets, blocks), over(second, targets, blocks), level);
}

/** A metric over blocks of rows, with what its interval depends on. */
export interface MetricOver {
  readonly statistic: BlockStatistic;
  /** For a proportion: outcomes in [0, 1] whose mean is the metric. [rows] */
  readonly outcomes?: Float64Array;
  /** Range of the metric, as `blockEstimate` takes it. */
  readonly range?: readonly [least: number, most: number];
}

/**
 * A metric as a function of how often each block of rows is counted.
 *
 * @throws {InputError} as `estimate`
 */
export function metricOver(
  metric: EstimatedMetric,
  scores: Numbers,
  targets: Numbers,
  blocks: Blocks,
): MetricOver {
  const { over, range, outcomes } = estimatorOf(metric);
  requireSameLength(scores, targets, ["scores", "targets"]);
  return {
    statistic: over(scores, targets, blocks),
    ...(range && { range }),
    ...(outcomes && { outcomes: outcomes(scores, targets) }),
  };
}

function estimatorOf(metric: EstimatedMetric): Estimator {
  if (Object.hasOwn(ESTIMATORS, metric)) return ESTIMATORS[metric];
  throw new InputError(`there is no metric ${JSON.stringify(metric)}`, {
    hint: `the metrics are ${Object.keys(ESTIMATORS).join(", ")}`,
  });
}

interface Estimator {
  readonly ofRows: (scores: Numbers, targets: Numbers, level: number) => Estimate;
  readonly ofBlocks: (scores: Numbers, targets: Numbers, blocks: Blocks, level: number) => Estimate;
  readonly over: (scores: Numbers, targets: Numbers, blocks: Blocks) => BlockStatistic;
  readonly range?: readonly [least: number, most: number];
  readonly outcomes?: (scores: Numbers, targets: Numbers) => Float64Array;
}

/** A statistic whose interval over blocks is the jackknife's, on the scale of its range. */
const jackknifed = (
  over: Estimator["over"],
  range: readonly [number, number] | undefined,
  ofRows: Estimator["ofRows"],
): Estimator => ({
  over,
  ofRows,
  ...(range && { range }),
  ofBlocks: (scores, targets, blocks, level) =>
    blockEstimate(blocks, over(scores, targets, blocks), { level, ...(range && { range }) }),
});

/** The mean of outcomes in [0, 1]. */
const proportion = (
  outcomes: (scores: Numbers, targets: Numbers) => Float64Array,
  ofRows: Estimator["ofRows"],
): Estimator => ({
  over: (scores, targets, blocks) => meanOver(outcomes(scores, targets), blocks),
  ofRows,
  outcomes,
  ofBlocks: (scores, targets, blocks, level) => clusteredProportion(outcomes(scores, targets), blocks, level),
});

const AUROC = jackknifed(aurocOver, [0, 1], aurocEstimate);

/** Pairs of a row of the first sample and one of the second: n₁n₂. */
function pairsOf(labels: Numbers): number {
  const first = Array.from(labels).filter((label) => label === 1).length;
  return first * (labels.length - first);
}

const timesPairs = ({ value, low, high, ...rest }: Estimate, pairs: number): Estimate => ({
  value: value * pairs,
  low: low * pairs,
  high: high * pairs,
  ...rest,
});

/** U = AUROC × n₁n₂, with the interval of the AUROC. */
const MANN_WHITNEY_U: Estimator = {
  ofRows: (values, labels, level) => timesPairs(AUROC.ofRows(values, labels, level), pairsOf(labels)),
  ofBlocks: (values, labels, blocks, level) =>
    timesPairs(AUROC.ofBlocks(values, labels, blocks, level), pairsOf(labels)),
  over(values, labels, blocks) {
    const area = aurocOver(values, labels, blocks);
    const pairs = pairsOf(labels);
    return Object.assign((times: Int32Array) => pairs * area(times), { classes: area.classes ?? [] });
  },
};

const ESTIMATORS: Readonly<Record<EstimatedMetric, Estimator>> = {
  auroc: AUROC,
  "mann-whitney-u": MANN_WHITNEY_U,
  "average-precision": jackknifed(averagePrecisionOver, [0, 1], averagePrecisionEstimate),
  accuracy: proportion(correctness, accuracyEstimate),
  matthews: jackknifed(matthewsOver, [-1, 1], (predicted, labels, level) =>
    matthewsEstimate(confusion(predicted, labels), level),
  ),
  "paired-accuracy": proportion(
    (elements, controls) => pairedOutcomes(elements, controls),
    (elements, controls, level) => pairedAccuracyEstimate(pairedCounts(elements, controls), "half", level),
  ),
  pearson: jackknifed(pearsonOver, [-1, 1], pearsonEstimate),
  spearman: jackknifed(spearmanOver, [-1, 1], spearmanEstimate),
  "mean-squared-error": jackknifed(
    meanSquaredErrorOver,
    [0, Number.POSITIVE_INFINITY],
    meanSquaredErrorEstimate,
  ),
  "adjusted-mutual-information": jackknifed(
    (clusters, classes, blocks) => adjustedMutualInformationOver(classes, clusters, blocks),
    undefined,
    (clusters, classes, level) => {
      const rows = singleRows(clusters.length);
      return jackknifeOf(rows, adjustedMutualInformationWithout(classes, clusters, rows), level);
    },
  ),
};
