/**
 * Tasks, settings, runs, suites and published values.
 *
 * @module dart-eval/evaluation
 */

export { type ComparePathsOptions, comparePaths } from "./comparison/compare-paths.ts";
export { type CompareOptions, compareResults } from "./comparison/compare-results.ts";
export type {
  ComparedGroup,
  ComparedMetric,
  ComparedModel,
  ComparedPair,
  ComparedRows,
  DifferingField,
  ModelsCompared,
  RankedModel,
  Ranking,
  SeparateModels,
} from "./comparison/comparison.ts";
export { verdictOf } from "./comparison/verdict.ts";
export { type EvaluateOptions, type Evaluation, evaluate } from "./evaluate.ts";
export { comparePublished, whyNotComparable } from "./published/compare-published.ts";
export type { PublishedResult } from "./published/published-result.ts";
export { readPublished } from "./published/read-published.ts";
export type { Cell, CellRecord } from "./runs/cell.ts";
export { type ControlModel, type ControlsContext, openControls } from "./runs/controls.ts";
export type { CustomForms, ModelFamily } from "./runs/forms.ts";
export { type MergeOptions, mergeRun } from "./runs/merge.ts";
export { planRun } from "./runs/plan.ts";
export type { PrecisionCheck } from "./runs/precision-record.ts";
export type { OnProgress, ProgressEvent } from "./runs/progress.ts";
export type { Plan, PlannedCell, RequestedTask, RunRequest } from "./runs/request.ts";
export { type RunOptions, runShard, type ShardOutcome } from "./runs/run-shard.ts";
export {
  type CellStatus,
  type RunStatus,
  runStatus,
  type ShardPhase,
  type ShardStatus,
} from "./runs/run-status.ts";
export { parseShard, type Shard } from "./runs/shard.ts";
export type { ShardTiming } from "./runs/shard-store.ts";
export { type CellResult, readResults, runResults, type StoredResult } from "./runs/stored-results.ts";
export {
  type CellToVerify,
  type VerifiedCell,
  type VerifyOptions,
  verifyCell,
} from "./runs/verify-cell.ts";
export { SETTINGS, type SettingName } from "./settings/catalogue.ts";
export type {
  EmbeddingsNeed,
  EmbeddingsPlace,
  RowPredictor,
  Setting,
  SettingContext,
} from "./settings/setting.ts";
export type { TrainingRecord } from "./settings/training-record.ts";
export type { StrataFiles } from "./strata/catalogue.ts";
export type { CellStrata, StratifiedMetric, Stratum } from "./strata/strata-file.ts";
export { type StratifiedRun, type StratifyOptions, stratifyRun } from "./strata/stratify.ts";
export { miniSuite } from "./suites/mini.ts";
export { openSuite } from "./suites/open-suite.ts";
export { readSuite } from "./suites/read-suite.ts";
export type { Suite } from "./suites/suite.ts";
export type { TaskBenchmark } from "./tasks/benchmark.ts";
export {
  type AnyTask,
  type InputsOf,
  type MetricName,
  type MetricNameOf,
  type RowOf,
  TASKS,
  type TaskName,
} from "./tasks/catalogue.ts";
export { cellTypeElements } from "./tasks/cell-type-elements/cell-type-elements.ts";
export { openGenomeTable, type TableRows, tableRows } from "./tasks/genome-table.ts";
export { type Measurement, type Metric, metricOf, type QuirkEffect } from "./tasks/measurement.ts";
export {
  asKind,
  type LikelihoodPrediction,
  type LogitsPrediction,
  ofKind,
  type Prediction,
  type Predictions,
  type RowFacts,
} from "./tasks/prediction.ts";
export { parseRecipe, type Recipe } from "./tasks/recipe.ts";
export { regulatoryElements } from "./tasks/regulatory-elements/regulatory-elements.ts";
export { elementAndControl, elementAndControlOneHot } from "./tasks/regulatory-elements/rows.ts";
export type {
  FactStratification,
  GenomicStratification,
  StratumValue,
  TaskStratification,
} from "./tasks/stratification.ts";
export { pickRows, tableDigest } from "./tasks/table-rows.ts";
export type { OpenTask, StageProgress, Supervision, Task, TaskInputs } from "./tasks/task.ts";
export type { Example, RowList, RowNumbers } from "./tasks/task-rows.ts";
export { variantEffects } from "./tasks/variant-effects/variant-effects.ts";
