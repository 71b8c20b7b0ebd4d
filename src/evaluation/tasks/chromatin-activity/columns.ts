import { InternalError } from "../../../base/errors.ts";
import type { Blocks } from "../../../metrics/blocks.ts";
import { blocksOfRows, POSITION_FACTS, type PositionFacts } from "../intervals.ts";
import { type ActivityPrediction, ofKind, type Predictions } from "../prediction.ts";
import type { LabelledRow } from "../task.ts";

/** The three tables of the task, in the order in which their rows are numbered. */
export const ACTIVITY_SETS = ["peaks", "idr", "nonpeaks"] as const;
export type ActivitySet = (typeof ACTIVITY_SETS)[number];

/** Facts of a row of Task 4; without positions if it comes from DART-Eval's data.h5. */
export type ActivityFacts = PositionFacts & {
  /** The row's table. */
  readonly set: ActivitySet;
  /** Reads on the middle 1,000 bases. */
  readonly counts: number;
  /** 1 if the signal lacks the row's chromosome. */
  readonly unmeasured?: 1;
  /** Positions of the window without a base (N, or off the chromosome). */
  readonly unknown: number;
};

/** Descriptions of the facts. */
export const ACTIVITY_FACTS = {
  ...POSITION_FACTS,
  counts: "reads on the middle 1,000 bases",
  set: "table of the row: peaks, high-confidence peaks (idr) or nonpeaks",
  unknown: "bases that are not A, C, G or T",
  unmeasured: "1 if the signal lacks the chromosome",
};

/** Target of a row: log(1 + counts), nats. */
export const targetOf = ({ facts }: Pick<LabelledRow<ActivityFacts>, "facts">): number =>
  Math.log1p(facts.counts);

/** Some rows as columns, in row order. */
export interface ActivityColumns {
  readonly predicted: Float64Array;
  /** log(1 + counts). */
  readonly target: Float64Array;
  readonly blocks: Blocks;
}

/** The rows of each table as columns, and the peaks and non-peaks together. */
export interface ActivityParts {
  readonly pos: ActivityColumns;
  readonly idr: ActivityColumns;
  readonly neg: ActivityColumns;
  /** Peaks, then non-peaks. */
  readonly all: ActivityColumns;
  /** High-confidence peaks, then non-peaks. */
  readonly classified: ActivityColumns & { readonly labels: Uint8Array };
}

/** @throws {InternalError} when a prediction is of another kind, or its row of no table */
export function activityParts(given: Predictions<ActivityFacts>): ActivityParts {
  const bySet: Readonly<Record<ActivitySet, ActivityPrediction<ActivityFacts>[]>> = {
    peaks: [],
    idr: [],
    nonpeaks: [],
  };
  for (const prediction of ofKind("activity", given)) {
    const { row, facts } = prediction;
    if (!(facts.set in bySet)) throw new InternalError(`row ${row} is of no table of the task`);
    bySet[facts.set].push(prediction);
  }
  const { peaks, idr, nonpeaks } = bySet;
  const labels = Uint8Array.from([...idr.map(() => 1), ...nonpeaks.map(() => 0)]);
  return {
    pos: columnsOf(peaks),
    idr: columnsOf(idr),
    neg: columnsOf(nonpeaks),
    all: columnsOf([...peaks, ...nonpeaks]),
    classified: { ...columnsOf([...idr, ...nonpeaks]), labels },
  };
}

function columnsOf(predictions: readonly ActivityPrediction<ActivityFacts>[]): ActivityColumns {
  return {
    predicted: Float64Array.from(predictions, ({ values }) => values[0]),
    target: Float64Array.from(predictions, targetOf),
    blocks: blocksOfRows(predictions),
  };
}
