import { InternalError } from "../../../base/errors.ts";
import type { Blocks } from "../../../metrics/blocks.ts";
import { genomicBlocks, singleRows } from "../../../metrics/blocks.ts";
import { type ActivityPrediction, ofKind, type Predictions } from "../prediction.ts";
import type { LabelledRow } from "../task.ts";

/** The three tables of the task, in the order in which their rows are numbered. */
export const ACTIVITY_SETS = ["peaks", "idr", "nonpeaks"] as const;
export type ActivitySet = (typeof ACTIVITY_SETS)[number];

/** Which table a row is of, as its facts say. */
export function setOf({ facts, row }: LabelledRow): ActivitySet {
  const found = ACTIVITY_SETS.find((set) => set === facts.set);
  if (found !== undefined) return found;
  throw new InternalError(`row ${row} is of no table of the task`);
}

/** What is to be predicted of a row: log(1 + counts), nats. */
export const targetOf = ({ facts }: LabelledRow): number => Math.log1p(Number(facts.counts));

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

/** @throws {InternalError} when a prediction is of another kind */
export function activityParts(given: Predictions): ActivityParts {
  const predictions = ofKind("activity", given);
  const of = (set: ActivitySet) => predictions.filter((prediction) => setOf(prediction) === set);
  const [peaks, idr, nonpeaks] = [of("peaks"), of("idr"), of("nonpeaks")];
  const labels = Uint8Array.from([...idr.map(() => 1), ...nonpeaks.map(() => 0)]);
  return {
    pos: columnsOf(peaks),
    idr: columnsOf(idr),
    neg: columnsOf(nonpeaks),
    all: columnsOf([...peaks, ...nonpeaks]),
    classified: { ...columnsOf([...idr, ...nonpeaks]), labels },
  };
}

function columnsOf(predictions: readonly ActivityPrediction[]): ActivityColumns {
  return {
    predicted: Float64Array.from(predictions, ({ values }) => values[0]),
    target: Float64Array.from(predictions, targetOf),
    blocks: blocksOf(predictions),
  };
}

/** Genomic blocks, or each row by itself where it is not known where rows lie. */
function blocksOf(predictions: readonly ActivityPrediction[]): Blocks {
  if (!predictions.every(({ facts }) => "chrom" in facts)) return singleRows(predictions.length);
  return genomicBlocks(
    predictions.map(({ facts }) => ({
      chrom: String(facts.chrom),
      start: Number(facts.start),
      end: Number(facts.end),
    })),
  );
}
