import { type BlockStatistic, type Blocks, blockSums } from "./blocks.ts";
import { requireBinary, requireFinite, requireSameLength } from "./input-checks.ts";

/** Values in increasing order, equal values grouped. */
export interface TieGroups {
  /** Row numbers, smallest value first; rows of equal value keep their order. */
  readonly order: Uint32Array;
  /** End (exclusive, in `order`) of each group of equal values; the last one is the number of rows. */
  readonly ends: Uint32Array;
}

/**
 * Sorts values and finds the ties. 0 and -0 are equal. O(n log n).
 *
 * @param values  finite numbers; the caller checks
 */
export function tieGroups(values: ArrayLike<number>): TieGroups {
  const order = Uint32Array.from({ length: values.length }, (_, row) => row);
  order.sort((a, b) => values[a] - values[b]);
  const ends: number[] = [];
  for (let i = 1; i <= order.length; i++) {
    if (i === order.length || values[order[i]] !== values[order[i - 1]]) ends.push(i);
  }
  return { order, ends: Uint32Array.from(ends) };
}

/**
 * Ranks from 1, equal values sharing their mean rank (SciPy's `rankdata`, method "average").
 *
 * @param groups  tie groups of the values, if already computed
 */
export function averageRanks(values: ArrayLike<number>, groups: TieGroups = tieGroups(values)): Float64Array {
  const ranks = new Float64Array(values.length);
  let start = 0;
  for (const end of groups.ends) {
    const rank = (start + 1 + end) / 2;
    for (let i = start; i < end; i++) ranks[groups.order[i]] = rank;
    start = end;
  }
  return ranks;
}

/** Ranks from 0, equal values getting consecutive ranks in row order: a stable double argsort. */
export function ordinalRanks(values: ArrayLike<number>): Uint32Array {
  const ranks = new Uint32Array(values.length);
  tieGroups(values).order.forEach((row, rank) => {
    ranks[row] = rank;
  });
  return ranks;
}

/** Σ (t³ − t) over groups of t equal values, by which ties reduce the variance of a rank sum. */
export function tieCorrection(groups: TieGroups): number {
  let sum = 0;
  let start = 0;
  for (const end of groups.ends) {
    const t = end - start;
    sum += t * t * t - t;
    start = end;
  }
  return sum;
}

/** Rows of two classes by increasing score: the input of ROC and precision–recall curves. */
export interface RankedClasses {
  /** 1 positive, 0 negative. [rows, by score] */
  readonly positive: Uint8Array;
  /** Block of each row. [rows, by score] */
  readonly block: Int32Array;
  /** End (exclusive) of each group of equal scores. */
  readonly ends: Uint32Array;
}

/** Rows of both classes in each block. [classes][blocks] */
export function classSizes(labels: ArrayLike<number>, blocks: Blocks): readonly Float64Array[] {
  const positives = blockSums(labels, blocks);
  return [positives, positives.map((count, block) => blocks.sizes[block] - count)];
}

/**
 * A statistic of two classes ranked by score, as a function of how often each block is counted. The scores
 * are sorted once.
 *
 * @throws {InputError} when lengths differ, a score is not finite or a label neither 0 nor 1
 */
export function rankedStatistic(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  blocks: Blocks,
  statistic: (rows: RankedClasses, times: Int32Array) => number,
): BlockStatistic {
  const rows = rankClasses(scores, labels, blocks);
  return Object.assign((times: Int32Array) => statistic(rows, times), {
    classes: classSizes(labels, blocks),
  });
}

function rankClasses(scores: ArrayLike<number>, labels: ArrayLike<number>, blocks: Blocks): RankedClasses {
  requireSameLength(scores, labels, ["scores", "labels"]);
  requireSameLength(scores, blocks.of, ["scores", "rows in blocks"]);
  requireFinite(scores, "score");
  requireBinary(labels);
  const { order, ends } = tieGroups(scores);
  return {
    positive: Uint8Array.from(order, (row) => labels[row]),
    block: Int32Array.from(order, (row) => blocks.of[row]),
    ends,
  };
}
