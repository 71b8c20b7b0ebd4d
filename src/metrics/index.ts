/**
 * Metrics and tests, with intervals for independent rows and for rows in blocks.
 *
 * @module dart-eval/metrics
 */

export { accuracy, accuracyEstimate, correctness, predictedClasses } from "./accuracy.ts";
export { adjustedMutualInformation } from "./adjusted-mutual-information.ts";
export { averagePrecision, averagePrecisionEstimate, averagePrecisionOver } from "./auprc.ts";
export { auroc, aurocEstimate, aurocOver } from "./auroc.ts";
export {
  type BlockEstimateOptions,
  blockEstimate,
  compareOver,
  type ModelComparison,
} from "./block-estimate.ts";
export {
  type BlockSizes,
  type BlockStatistic,
  type Blocks,
  blockMeans,
  blocksBy,
  chromosomeBlocks,
  type GenomicRow,
  genomicBlocks,
} from "./blocks.ts";
export { clusteredProportion } from "./clustered-proportion.ts";
export {
  type Correlation,
  pearson,
  pearsonEstimate,
  pearsonOver,
  spearman,
  spearmanEstimate,
  spearmanOver,
} from "./correlation.ts";
export {
  compare,
  type EstimatedMetric,
  type EstimateOptions,
  estimate,
  type MetricOver,
  metricOver,
} from "./estimate.ts";
export { benjaminiHochberg } from "./false-discovery.ts";
export {
  type Estimate,
  type IntervalBasis,
  type IntervalMethod,
  waldInterval,
  wilsonInterval,
} from "./intervals.ts";
export { type MannWhitneyResult, mannWhitney } from "./mann-whitney.ts";
export type { Matrix } from "./matrix.ts";
export { type Confusion, confusion, matthews, matthewsEstimate, matthewsOver } from "./matthews.ts";
export { meanEstimate, meanOver } from "./mean.ts";
export { meanSquaredErrorEstimate, meanSquaredErrorOver } from "./mean-squared-error.ts";
export {
  type PairedCounts,
  pairedAccuracy,
  pairedAccuracyEstimate,
  pairedCounts,
  pairedOutcomes,
  type TieRule,
} from "./paired-accuracy.ts";
export { type Alternative, type WilcoxonResult, wilcoxon } from "./wilcoxon.ts";
