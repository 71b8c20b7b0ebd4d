import { correctness } from "../../../metrics/accuracy.ts";
import { averagePrecisionEstimate, averagePrecisionOver } from "../../../metrics/auprc.ts";
import { aurocEstimate, aurocOver } from "../../../metrics/auroc.ts";
import { type BlockStatistic, type Blocks, blockSums } from "../../../metrics/blocks.ts";
import type { Estimate } from "../../../metrics/intervals.ts";
import { confusion, matthewsEstimate, matthewsOver } from "../../../metrics/matthews.ts";
import { mean, meanOver } from "../../../metrics/mean.ts";

/** One class against the rest. */
export interface OneAgainstRest {
  /** 1 if a row is of the class. [rows] */
  readonly positive: Uint8Array;
  readonly logOdds: Float64Array;
  /** 1 if the log-odds are 0 or more: the class is more likely than all others together. */
  readonly named: Uint8Array;
}

/**
 * Metrics of one class against the rest that are averaged over classes: name, the original's key, title and
 * range.
 */
export const AVERAGED_MEASURES = [
  { name: "auroc", key: "auroc", title: "AUROC", range: [0, 1] },
  { name: "auprc", key: "auprc", title: "AUPRC", range: [0, 1] },
  { name: "mcc", key: "mcc", title: "Matthews correlation", range: [-1, 1] },
] as const;

/** Metrics of one class against the rest. */
export const CLASS_MEASURES = [
  ...AVERAGED_MEASURES,
  { name: "accuracy-against-rest", key: "acc", title: "one-vs-rest accuracy", range: [0, 1] },
] as const;

export type ClassMeasure = (typeof CLASS_MEASURES)[number]["name"];

export interface ClassStatistic {
  readonly over: BlockStatistic;
  /** Intervals that take rows as independent. */
  readonly independent: readonly Estimate[];
}

/** Statistics in the order of `CLASS_MEASURES`; NaN if no row or every row is of the class. */
export function classStatistics(
  { positive, logOdds, named }: OneAgainstRest,
  blocks: Blocks,
): readonly ClassStatistic[] {
  const both = positive.includes(0) && positive.includes(1);
  const undefinedStatistic = () => Number.NaN;
  const ofBoth = (statistic: () => ClassStatistic): ClassStatistic =>
    both ? statistic() : { over: undefinedStatistic, independent: [] };
  return [
    ofBoth(() => ({
      over: aurocOver(logOdds, positive, blocks),
      independent: [aurocEstimate(logOdds, positive)],
    })),
    ofBoth(() => ({
      over: averagePrecisionOver(logOdds, positive, blocks),
      independent: [averagePrecisionEstimate(logOdds, positive)],
    })),
    ofBoth(() => ({
      over: matthewsOver(named, positive, blocks),
      independent: [matthewsEstimate(confusion(named, positive))],
    })),
    { over: meanOver(correctness(named, positive), blocks), independent: [] },
  ];
}

/** Recall of a class: share of correct predictions among its rows. */
export function proportionAmong(correct: Float64Array, among: Uint8Array, blocks: Blocks): BlockStatistic {
  const right = meanOver(
    correct.map((value, row) => value * among[row]),
    blocks,
  );
  const all = meanOver(Float64Array.from(among), blocks);
  const recall = (times: Int32Array) => right(times) / all(times);
  return Object.assign(recall, { classes: [blockSums(among, blocks)] });
}

/** Mean of statistics. */
export function meanOf(statistics: readonly BlockStatistic[]): BlockStatistic {
  const average = (times: Int32Array) => mean(statistics.map((statistic) => statistic(times)));
  return Object.assign(average, { classes: statistics.flatMap(({ classes = [] }) => classes) });
}
