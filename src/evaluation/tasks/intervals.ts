import type { Interval } from "../../dna/genome/interval.ts";
import { blockEstimate } from "../../metrics/block-estimate.ts";
import {
  type BlockSizes,
  type BlockStatistic,
  type Blocks,
  type GenomicColumns,
  genomicBlocks,
  rowsIn,
  singleRows,
} from "../../metrics/blocks.ts";
import {
  clusteredProportion,
  type ProportionSums,
  proportionInferenceOf,
  proportionSums,
} from "../../metrics/clustered-proportion.ts";
import { type Estimate, waldInterval, wilsonInterval } from "../../metrics/intervals.ts";
import { meanOver } from "../../metrics/mean.ts";
import type { Protocol } from "../../models/model.ts";
import { type Metric, type MetricForm, metricOf } from "./measurement.ts";
import type { RowFacts } from "./prediction.ts";
import type { PredictionColumns } from "./prediction-columns.ts";
import type { MainStatistic } from "./task.ts";

/**
 * A statistic with its interval over blocks.
 *
 * @param range  ends of the statistic's range, as `blockEstimate` takes it
 */
export function blockInterval(
  blocks: BlockSizes,
  statistic: BlockStatistic,
  range?: readonly [least: number, most: number],
): Estimate {
  return blockEstimate(blocks, statistic, range === undefined ? {} : { range });
}

/** A statistic over blocks as a metric. */
export interface BlockMetric {
  readonly blocks: BlockSizes;
  readonly statistic: BlockStatistic;
  /** As `blockInterval`. */
  readonly range?: readonly [least: number, most: number];
  /** Reason of an undefined value. */
  readonly why: string;
  /** Intervals for independent rows, which follow the one over blocks. */
  readonly independent?: readonly Estimate[];
}

/** Metric of a statistic with its interval over blocks, and those for independent rows after it. */
export function blockMetric<Name extends string>(
  form: MetricForm<Name>,
  { blocks, statistic, range, why, independent = [] }: BlockMetric,
): Metric<Name> {
  const estimate = blockInterval(blocks, statistic, range);
  return metricOf(form, estimate.value, why, [estimate, ...independent]);
}

/** A proportion of rows as the main metric, over blocks. @param outcomes  in [0, 1], one per row */
export function proportionStatistic<Name extends string>(
  metric: Name,
  outcomes: ArrayLike<number>,
  blocks: Blocks,
): MainStatistic<Name> {
  return { metric, blocks, statistic: meanOver(outcomes, blocks), outcomes };
}

/** The estimate of a main metric that a result holds under `corrected`. */
export function mainEstimate({ blocks, statistic, outcomes, range }: MainStatistic, level = 0.95): Estimate {
  return outcomes === undefined
    ? blockEstimate(blocks, statistic, { level, ...(range && { range }) })
    : clusteredProportion(outcomes, blocks, level);
}

/** The original's denominators for an interval; its tables print the first. */
export type TrialCounts = readonly [number, ...number[]];

/** The published Wald interval of a proportion over this many trials. */
export function waldOver(proportion: number, trials: number): Estimate {
  return waldInterval(proportion * trials, trials);
}

/**
 * Intervals of a proportion, the one to print first: the published one under `paper`, else the one over
 * genomic blocks, which accounts for correlation of neighbouring rows and for few blocks.
 *
 * @param outcomes  in [0, 1], one per row
 * @param trials    numbers of trials of the published intervals
 */
export const proportionIntervals = (
  outcomes: ArrayLike<number>,
  blocks: Blocks,
  options: { readonly protocol: Protocol; readonly trials: TrialCounts },
): readonly Estimate[] => proportionIntervalsOf(proportionSums(outcomes, blocks), options);

/** `proportionIntervals` of outcomes that were added up block by block. */
export function proportionIntervalsOf(
  counts: ProportionSums,
  { protocol, trials }: { readonly protocol: Protocol; readonly trials: TrialCounts },
): readonly Estimate[] {
  const n = rowsIn(counts.blocks);
  const wilson = wilsonInterval(counts.total, n);
  const published = n === 0 ? [wilson] : trials.map((count) => waldOver(counts.total / n, count));
  const blockwise = [proportionInferenceOf(counts).estimate, wilson];
  return protocol === "paper" ? [...published, ...blockwise] : [...blockwise, ...published];
}

/** Genomic position of a row as facts; absent from rows of DART-Eval's data.h5. */
export type PositionFacts = Partial<Interval>;

/** Descriptions of the facts of a position. */
export const POSITION_FACTS = {
  chrom: "chromosome",
  start: "start, 0-based",
  end: "end, exclusive",
};

/** Blocks of neighbouring rows along the genome, or single rows unless every row has a position. */
export function blocksOfRows(rows: readonly { readonly facts: PositionFacts }[]): Blocks {
  const positions = positionsOf(rows);
  return positions === undefined ? singleRows(rows.length) : genomicBlocks(positions);
}

/** Positions of rows; undefined unless every row has one. */
export function positionsOf(
  rows: readonly { readonly facts: PositionFacts }[],
): readonly Interval[] | undefined {
  const positions: Interval[] = [];
  for (const { facts } of rows) {
    const { chrom, start, end } = facts;
    if (chrom === undefined || start === undefined || end === undefined) return undefined;
    positions.push({ chrom, start, end });
  }
  return positions;
}

/** True if blocks are single rows, because rows have no positions. */
export const areSingleRows = ({ kind }: BlockSizes): boolean => kind === "row";

/** Note on intervals of rows without positions. */
export const NO_POSITIONS =
  "The rows have no genomic positions: intervals assume independent rows and are too narrow.";

/** Positions of the rows as columns; undefined unless every row has one. */
export function genomicPositionsOf<Row extends RowFacts & PositionFacts>(
  columns: PredictionColumns<Row>,
): GenomicColumns | undefined {
  const none = new Uint8Array(0);
  if (columns.length === 0) return { chromosomes: none, starts: none, ends: none };
  const [chromosomes, starts, ends] = [
    columns.factTexts("chrom"),
    columns.factNumbers("start"),
    columns.factNumbers("end"),
  ];
  if (chromosomes === undefined || starts === undefined || ends === undefined) return undefined;
  return chromosomes.codes.includes(0) ? undefined : { chromosomes: chromosomes.codes, starts, ends };
}

/** Maximum metrics that a note names. */
const NAMED = 3;

/**
 * Notes on printed intervals that may cover less than 95 %, one per reason: `Interval not reliable (3
 * blocks): paired accuracy.`
 *
 * @param blocks  of the task's rows; with a single block, intervals for independent rows are printed
 */
export function intervalNotes(metrics: readonly Metric[], blocks: BlockSizes): readonly string[] {
  if (blocks.sizes.length === 1) return ["Intervals not reliable (1 block): they assume independent rows."];
  const byReason = new Map<string, string[]>();
  for (const { title, intervals } of metrics) {
    const reason = intervals.find(({ basis }) => basis !== undefined)?.basis?.unreliable;
    if (reason === undefined) continue;
    const titles = byReason.get(reason);
    if (titles === undefined) byReason.set(reason, [title]);
    else titles.push(title);
  }
  return [...byReason].map(([reason, titles]) => {
    const more = titles.length > NAMED ? ` and ${titles.length - NAMED} more` : "";
    return `Interval not reliable (${reason}): ${titles.slice(0, NAMED).join("; ")}${more}.`;
  });
}
