/** For users of `dart-eval/metrics`: metrics, tests and their intervals. */

export { auroc } from "./auroc.ts";
export { type Estimate, waldInterval, wilsonInterval } from "./intervals.ts";
export { pairedAccuracy, pairedAccuracyEstimate, pairedCounts } from "./paired-accuracy.ts";
export { wilcoxon } from "./wilcoxon.ts";
