import type { BlockStatistic, Blocks } from "./blocks.ts";
import { singleRows } from "./blocks.ts";
import { classSizes, rankClasses } from "./ranked-classes.ts";

/**
 * Area under the ROC curve: P(score of a positive > score of a negative), a tie counting one half.
 *
 * Mann–Whitney form over groups of equal scores, O(n log n). Agrees with scikit-learn's `roc_auc_score`. Its interval:
 * `aurocEstimate` (delong.ts) for independent rows, `blockEstimate` with `aurocOver` for rows in blocks.
 *
 * @param scores  any finite numbers; only their order matters
 * @param labels  1 positive, 0 negative, one per score
 * @returns       in [0, 1], higher is better; NaN when a class is empty (undefined is not 0.5)
 * @throws {InputError} when lengths differ, a score is not finite or a label neither 0 nor 1
 * @see Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747
 */
export function auroc(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  return aurocOver(scores, labels, singleRows(scores.length))(new Int32Array(scores.length).fill(1));
}

/**
 * `auroc` of rows that come in blocks, as a function of how often each block is there. The scores are sorted once;
 * each call takes O(n).
 *
 * @throws {InputError} as `auroc`, or when there is not one score per row of the blocks
 */
export function aurocOver(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  blocks: Blocks,
): BlockStatistic {
  const { positive, block, ends } = rankClasses(scores, labels, blocks);
  const statistic = (times: Int32Array) => {
    let wins = 0;
    let positivesBelow = 0;
    let negativesBelow = 0;
    let start = 0;
    for (const end of ends) {
      let positives = 0;
      let negatives = 0;
      for (let i = start; i < end; i++) {
        const weight = times[block[i]!]!;
        if (positive[i]! === 1) positives += weight;
        else negatives += weight;
      }
      wins += positives * (negativesBelow + negatives / 2);
      positivesBelow += positives;
      negativesBelow += negatives;
      start = end;
    }
    return wins / (positivesBelow * negativesBelow);
  };
  return Object.assign(statistic, { classes: classSizes(labels, blocks) });
}
