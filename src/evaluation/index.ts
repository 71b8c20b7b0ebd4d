/** For users of `dart-eval/evaluation`: tasks, settings, runs and suites. */

export type { EvaluateOptions, Evaluation } from "./evaluate.ts";
export { evaluate } from "./evaluate.ts";
export { publishedBeside, whyNotComparable } from "./published/compare-published.ts";
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
export type {
  Answerer,
  EmbeddingsNeed,
  EmbeddingsPlace,
  Setting,
  SettingContext,
} from "./settings/setting.ts";
export type { TrainingRecord } from "./settings/training-record.ts";
export { miniSuite } from "./suites/mini.ts";
export { openSuite } from "./suites/open-suite.ts";
export { readSuite } from "./suites/read-suite.ts";
export type { Suite } from "./suites/suite.ts";
export { TASKS } from "./tasks/catalogue.ts";
export { cellTypeElements } from "./tasks/cell-type-elements/cell-type-elements.ts";
export type { Measurement, Metric, QuirkEffect } from "./tasks/measurement.ts";
export type {
  LikelihoodPrediction,
  LogitsPrediction,
  Prediction,
  Predictions,
  RowFacts,
} from "./tasks/prediction.ts";
export { parseRecipe, type Recipe } from "./tasks/recipe.ts";
export { elementAndControl, elementAndControlOneHot } from "./tasks/regulatory-elements/pair.ts";
export { regulatoryElements } from "./tasks/regulatory-elements/regulatory-elements.ts";
export { CHROMOSOME_SPLIT, isInSplit } from "./tasks/split.ts";
export type { StageProgress } from "./tasks/stage-progress.ts";
export type { Example, OpenTask, RowNumbers, Split, Supervision, Task, TaskInputs } from "./tasks/task.ts";
export { variantEffects } from "./tasks/variant-effects/variant-effects.ts";
