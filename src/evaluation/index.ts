/** For users of `dart-eval/evaluation`: the tasks, running them, and the metrics. */

export { buildCellTypeElements, type CellTypeBuild } from "./datasets/cell-type-elements/build.ts";
export { type ConsensusPeaks, consensusPeaks } from "./datasets/cell-type-elements/consensus-peaks.ts";
export { deseq2 } from "./datasets/cell-type-elements/differential.ts";
export { countReads } from "./datasets/cell-type-elements/read-counts.ts";
export {
  type CellTypeElementRow,
  readCellTypeElements,
  writeCellTypeElements,
} from "./datasets/cell-type-elements/table.ts";
export { gcMatchedWindows } from "./datasets/chromatin-activity/gc-matched-windows.ts";
export { peakWindows } from "./datasets/chromatin-activity/peak-windows.ts";
export {
  type ActivityWindow,
  readActivityWindows,
  writeActivityWindows,
} from "./datasets/chromatin-activity/windows.ts";
export { readFootprints, writeFootprints } from "./datasets/motif-footprinting/footprint-file.ts";
export { buildFootprints, type FootprintLine } from "./datasets/motif-footprinting/footprints.ts";
export { openProcessed, type ProcessedData } from "./datasets/processed/h5.ts";
export { buildRegulatoryElements } from "./datasets/regulatory-elements/build.ts";
export type { RegulatoryElementRow } from "./datasets/regulatory-elements/table.ts";
export { readRegulatoryElements, writeRegulatoryElements } from "./datasets/regulatory-elements/table.ts";
export { SOURCES } from "./datasets/sources/catalogue.ts";
export { fetchSource } from "./datasets/sources/fetch-source.ts";
export { servicesFromEnvironment } from "./datasets/sources/services.ts";
export type { Source } from "./datasets/sources/source.ts";
export { verifyData } from "./datasets/sources/verify.ts";
export { type SyntheticGenome, writeSyntheticGenome } from "./datasets/synthetic/write.ts";
export { checkVariants, type VariantCheck } from "./datasets/variants/check.ts";
export type { Finding, FindingKind } from "./datasets/variants/checks/finding.ts";
export { readVariants } from "./datasets/variants/read.ts";
export type { VariantRow, VariantTable } from "./datasets/variants/table.ts";
export type { EvaluateOptions, Evaluation } from "./evaluate.ts";
export { evaluate } from "./evaluate.ts";
export { auroc } from "./metrics/auroc.ts";
export type { Estimate } from "./metrics/estimate.ts";
export { waldInterval, wilsonInterval } from "./metrics/intervals.ts";
export { pairedAccuracy, pairedAccuracyEstimate, pairedCounts } from "./metrics/paired-accuracy.ts";
export { wilcoxon } from "./metrics/wilcoxon.ts";
export { publishedBeside } from "./published/compare-published.ts";
export type { PublishedResult } from "./published/published-result.ts";
export { readPublished } from "./published/read-published.ts";
export type { Cell, CellRecord } from "./runs/cell.ts";
export type { MergeOptions } from "./runs/merge.ts";
export { mergeRun } from "./runs/merge.ts";
export type { Plan, PlannedCell } from "./runs/plan.ts";
export { planRun } from "./runs/plan.ts";
export type { OnProgress, ProgressEvent } from "./runs/progress.ts";
export { readResults } from "./runs/read-results.ts";
export type { AskedTask, RunRequest, Shard } from "./runs/request.ts";
export type { CellResult, ShardTiming, StoredResult } from "./runs/result.ts";
export type { RunOptions, ShardOutcome } from "./runs/shard.ts";
export { runShard } from "./runs/shard.ts";
export { parseShard } from "./runs/shard-of-rows.ts";
export { SETTINGS } from "./settings/catalogue.ts";
export type { Answerer, Setting, SettingContext } from "./settings/setting.ts";
export type { TrainingRecord } from "./settings/training-record.ts";
export { miniSuite } from "./suites/mini.ts";
export { openSuite } from "./suites/open-suite.ts";
export { readSuite } from "./suites/read-suite.ts";
export type { Suite } from "./suites/suite.ts";
export { TASKS } from "./tasks/catalogue.ts";
export { cellTypeElements } from "./tasks/cell-type-elements/cell-type-elements.ts";
export type { Measurement, Metric, QuirkEffect } from "./tasks/measurement.ts";
export type { LikelihoodPrediction, LogitsPrediction, Prediction, RowFacts } from "./tasks/prediction.ts";
export { parseRecipe, type Recipe } from "./tasks/recipe.ts";
export { elementAndControl, elementAndControlOneHot } from "./tasks/regulatory-elements/pair.ts";
export { regulatoryElements } from "./tasks/regulatory-elements/regulatory-elements.ts";
export { CHROMOSOME_SPLIT, isInSplit } from "./tasks/split.ts";
export type { StageProgress } from "./tasks/stage-progress.ts";
export type { Example, OpenTask, Split, Supervision, Task, TaskInputs, TaskRow } from "./tasks/task.ts";
export { variantEffects } from "./tasks/variant-effects/variant-effects.ts";
