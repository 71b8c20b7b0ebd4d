import { type BlockStatistic, type Blocks, singleRows } from "./blocks.ts";
import { criticalValue, type Estimate, onLogOdds } from "./intervals.ts";
import { mean, sum } from "./mean.ts";
import { averageRanks, rankedStatistic } from "./ranks.ts";

/**
 * Area under the ROC curve: P(score of a positive > score of a negative), a tie counting one half.
 *
 * Mann–Whitney form over groups of equal scores, O(n log n). Agrees with scikit-learn's `roc_auc_score`. With
 * an interval: `aurocEstimate` for independent rows, `blockEstimate` with `aurocOver` for rows in blocks.
 *
 * @param scores  any finite numbers; only their order matters
 * @param labels  1 positive, 0 negative, one per score
 * @returns       in [0, 1], higher is better; NaN when a class is empty
 * @throws {InputError} when lengths differ, a score is not finite or a label neither 0 nor 1
 * @see Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747
 */
export function auroc(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  return aurocOver(scores, labels, singleRows(scores.length))(new Int32Array(scores.length).fill(1));
}

/**
 * `auroc` of rows in blocks, as a function of how often each block is counted. The scores are sorted once;
 * each call takes O(n).
 *
 * @throws {InputError} as `auroc`, or when the number of scores is not the number of rows in blocks
 */
export function aurocOver(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  blocks: Blocks,
): BlockStatistic {
  return rankedStatistic(scores, labels, blocks, ({ positive, block, ends }, times) => {
    let wins = 0;
    let positivesBelow = 0;
    let negativesBelow = 0;
    let start = 0;
    for (const end of ends) {
      let positives = 0;
      let negatives = 0;
      for (let i = start; i < end; i++) {
        const weight = times[block[i]];
        if (positive[i] === 1) positives += weight;
        else negatives += weight;
      }
      wins += positives * (negativesBelow + negatives / 2);
      positivesBelow += positives;
      negativesBelow += negatives;
      start = end;
    }
    return wins / (positivesBelow * negativesBelow);
  });
}

/**
 * AUROC with an interval for independent rows by DeLong's variance, symmetric on the scale of the log-odds
 * ln(A/(1 − A)), where the standard error is se/(A(1 − A)). The interval never leaves (0, 1) and is wider
 * towards 0.5.
 *
 * The usual interval, value ± z·se, is too narrow for large areas. In simulations of normal scores its 95 %
 * covered an AUROC of 0.99 in 75 % of cases with 30 positives among 300 rows (this interval: 88 %), and an
 * AUROC of 0.92 in 80 % of cases with 6 among 60 (this interval: 94 %). With a hundred rows or more in each
 * class the two agree except above 0.95.
 *
 * A perfect (or perfectly wrong) ranking has a DeLong variance of 0. Its bound is exact instead: of as many
 * disjoint pairs as the smaller class has rows, all are ordered correctly, which an AUROC of α^(1/pairs)
 * still allows with probability α = (1 − level)/2.
 *
 * @param scores  any finite numbers
 * @param labels  1 positive, 0 negative, one per score
 * @returns       n is the number of rows; bounds NaN where a class has fewer than two rows or all scores are
 *                equal; method "delong"
 * @throws {InputError} as `auroc`, or when the level is outside (0, 1)
 * @see DeLong, DeLong & Clarke-Pearson 1988, doi:10.2307/2531595; Sun & Xu 2014, doi:10.1109/LSP.2014.2337313
 * @see Qin & Hotilovac 2008, doi:10.1177/0962280207087173, which compares intervals
 */
export function aurocEstimate(scores: ArrayLike<number>, labels: ArrayLike<number>, level = 0.95): Estimate {
  const z = criticalValue(level);
  const value = auroc(scores, labels);
  const n = scores.length;
  const { ofPositives, ofNegatives } = placements(scores, labels);
  const pairs = Math.min(ofPositives.length, ofNegatives.length);
  if (pairs < 2) return { value, low: Number.NaN, high: Number.NaN, n, method: "delong" };
  if (value === 0 || value === 1) {
    const slack = 1 - ((1 - level) / 2) ** (1 / pairs);
    return { value, low: value === 1 ? 1 - slack : 0, high: value === 1 ? 1 : slack, n, method: "delong" };
  }
  const error = Math.sqrt(
    variance(ofPositives) / ofPositives.length + variance(ofNegatives) / ofNegatives.length,
  );
  if (error === 0) return { value, low: Number.NaN, high: Number.NaN, n, method: "delong" };
  return { value, ...onLogOdds(value, z * error), n, method: "delong" };
}

/**
 * Placement values: for each row the share of the other class that it outranks in the right direction; a tie
 * counts one half.
 */
function placements(scores: ArrayLike<number>, labels: ArrayLike<number>) {
  const rows = Array.from({ length: scores.length }, (_, row) => row);
  const positives = rows.filter((row) => labels[row] === 1);
  const negatives = rows.filter((row) => labels[row] === 0);
  const together = averageRanks(scores);
  const among = (chosen: readonly number[]) => averageRanks(chosen.map((row) => scores[row]));
  const amongPositives = among(positives);
  const amongNegatives = among(negatives);
  return {
    ofPositives: Float64Array.from(
      positives,
      (row, i) => (together[row] - amongPositives[i]) / negatives.length,
    ),
    ofNegatives: Float64Array.from(
      negatives,
      (row, i) => 1 - (together[row] - amongNegatives[i]) / positives.length,
    ),
  };
}

/** Sample variance; NaN for fewer than two numbers. */
function variance(values: Float64Array): number {
  const centre = mean(values);
  return sum(values.map((value) => (value - centre) ** 2)) / (values.length - 1);
}
