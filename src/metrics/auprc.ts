import { type BlockStatistic, type Blocks, singleRows } from "./blocks.ts";
import { criticalValue, type Estimate, onLogOdds } from "./intervals.ts";
import { sum } from "./mean.ts";
import { rankedStatistic } from "./ranks.ts";

/**
 * Area under the precision–recall curve as average precision: Σ (recall gained at a threshold) × (precision
 * there), over the distinct scores from the highest down. Rows of equal score enter together. Thresholds are
 * not interpolated, which would be too optimistic. A random ranking scores the share of positives, not 0.5.
 *
 * Agrees with scikit-learn's `average_precision_score`, except that it gives 0 without positives.
 *
 * @param scores  any finite numbers; only their order matters
 * @param labels  1 positive, 0 negative, one per score
 * @returns       in (0, 1], higher is better; NaN without positives (recall is undefined); 1 without
 *                negatives
 * @throws {InputError} when lengths differ, a score is not finite or a label neither 0 nor 1
 */
export function averagePrecision(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const ones = new Int32Array(scores.length).fill(1);
  return averagePrecisionOver(scores, labels, singleRows(scores.length))(ones);
}

/**
 * `averagePrecision` of rows in blocks, as a function of how often each block is counted. The scores are
 * sorted once; each call takes O(n).
 *
 * @throws {InputError} as `averagePrecision`, or when the number of scores is not the number of rows in
 *                      blocks
 */
export function averagePrecisionOver(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  blocks: Blocks,
): BlockStatistic {
  return rankedStatistic(scores, labels, blocks, ({ positive, block, ends }, times) => {
    let area = 0;
    let positivesAbove = 0;
    let rowsAbove = 0;
    for (let group = ends.length - 1; group >= 0; group--) {
      let positives = 0;
      for (let i = group === 0 ? 0 : ends[group - 1]; i < ends[group]; i++) {
        const weight = times[block[i]];
        if (positive[i] === 1) positives += weight;
        rowsAbove += weight;
      }
      positivesAbove += positives;
      if (positives > 0) area += (positives * positivesAbove) / rowsAbove;
    }
    return area / positivesAbove;
  });
}

/**
 * Average precision with an approximate interval for independent rows: normal on the logit scale, with the
 * number of positives as the number of trials. Prefer `blockEstimate` with `averagePrecisionOver` where there
 * are enough blocks.
 *
 * @returns  bounds NaN where the value is undefined or 1; method "logit"
 * @throws {InputError} as `averagePrecision`, or when the level is outside (0, 1)
 * @see Boyd, Eng & Page 2013, doi:10.1007/978-3-642-40994-3_55
 */
export function averagePrecisionEstimate(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  level = 0.95,
): Estimate {
  const z = criticalValue(level);
  const value = averagePrecision(scores, labels);
  const bounds =
    value < 1
      ? onLogOdds(value, z * Math.sqrt((value * (1 - value)) / sum(labels)))
      : { low: Number.NaN, high: Number.NaN };
  return { value, ...bounds, n: scores.length, method: "logit" };
}
