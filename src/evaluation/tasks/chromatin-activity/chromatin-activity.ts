import { ACTIVITY_WINDOW } from "../../../datasets/chromatin-activity/windows.ts";
import { asKind } from "../prediction.ts";
import type { GenomicStratification } from "../stratification.ts";
import type { Task, TaskSetting } from "../task.ts";
import { ACTIVITY_BENCHMARK } from "./benchmark.ts";
import { ACTIVITY_FACTS, ACTIVITY_SETS, type ActivityFacts, targetOf } from "./columns.ts";
import {
  type ActivityMetric,
  activityStatistic,
  measureActivity,
  measurePredictedActivity,
  predictedActivityStatistic,
} from "./measure.ts";
import { ACTIVITY_AB_INITIO, ACTIVITY_FINE_TUNED, ACTIVITY_PREDICTED, ACTIVITY_PROBED } from "./recipes.ts";
import { viewActivity } from "./row-view.ts";
import { type ChromatinActivityInputs, openChromatinActivity } from "./rows.ts";
import { activityEpoch, checkEpochRecipe, type ValidationOrder, validateActivity } from "./training.ts";

/** Stratifications of Task 4; composition is that of the network's window. */
const ACTIVITY_STRATA: readonly GenomicStratification[] = [
  { use: "gc", over: "window" },
  { use: "tss" },
  { use: "ccre-class" },
  { use: "repeats" },
  { use: "chromosome" },
];

/** Common part of the settings that train: regression of log(1 + counts). */
const trained = (order: ValidationOrder): Omit<TaskSetting<ActivityFacts, ActivityMetric>, "recipe"> => ({
  defaultSplit: "test",
  supervision: {
    loss: "squared-error",
    labels: (row) => [targetOf(row)],
    validate: (predictions, context) => validateActivity(predictions, context, order),
    rowsOfEpoch: activityEpoch,
    epochRecipe: ["negatives", "negativeRatio"],
  },
  checkRecipe: checkEpochRecipe,
  publishedFile: "eval",
});

/**
 * Task 4: prediction of the number of reads on the middle 1,000 of 2,114 bases, around the summits of peaks
 * and in windows without a peak.
 */
export const chromatinActivity: Task<
  ActivityFacts,
  ChromatinActivityInputs,
  "chromatin-activity",
  ActivityMetric
> = {
  name: "chromatin-activity",
  number: 4,
  version: 1,
  title: "Chromatin activity",
  question: "How accessible is the chromatin of a sequence, in reads?",
  source:
    "DART-Eval task 4 (Patel et al. 2024, arXiv:2412.05430): DNase-seq of GM12878, H1ESC, HEPG2, IMR90 and K562, from ENCODE",
  window: ACTIVITY_WINDOW,
  widens: true,
  members: ["window"],
  inputs: [
    { name: "genome", description: "the reference genome: FASTA, FASTA with bgzip, or 2bit" },
    {
      name: "peaks",
      description:
        "the table of peaks, tab-separated (dart-eval build chromatin-activity), or DART-Eval's data.h5, with which only cell-line is needed",
    },
    { name: "idr", description: "the table of high-confidence peaks, classified against non-peaks" },
    { name: "nonpeaks", description: "the table of windows without a peak, matched for GC content" },
    { name: "signal", description: "reads per base: bigWig" },
    { name: "cell-line", kind: "text", description: "the name of the cell line, such as K562" },
  ],
  strata: ACTIVITY_SETS,
  facts: ACTIVITY_FACTS,
  stratifications: ACTIVITY_STRATA,
  settings: {
    probed: { ...ACTIVITY_PROBED, ...trained("interleaved") },
    "fine-tuned": { ...ACTIVITY_FINE_TUNED, ...trained("apart") },
    "ab-initio": { network: "chrombpnet-like", ...ACTIVITY_AB_INITIO, ...trained("apart") },
    predicted: {
      ...ACTIVITY_PREDICTED,
      defaultSplit: "test",
      measure: measurePredictedActivity,
      mainStatistic: predictedActivityStatistic,
      publishedFile: "metrics",
    },
  },
  open: (inputs, options) => openChromatinActivity(chromatinActivity, inputs, options),
  measure: measureActivity,
  mainStatistic: activityStatistic,
  viewRows: viewActivity,
  scores: {
    columns: ["idx", "set", "log1p_counts", "prediction"],
    line(prediction) {
      const { row, values, facts } = asKind("activity", prediction);
      return [row, facts.set, targetOf({ facts }), ...values];
    },
  },
  benchmark: ACTIVITY_BENCHMARK,
};
