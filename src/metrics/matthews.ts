import type { BlockStatistic, Blocks } from "./blocks.ts";
import { requireBinary, requireSameLength } from "./input-checks.ts";
import { criticalValue, type Estimate } from "./intervals.ts";
import { classSizes } from "./ranks.ts";

/** Rows of a binary classification by prediction and truth. */
export interface Confusion {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
}

/**
 * Counts rows by prediction and truth.
 *
 * @param predicted  1 or 0 per row
 * @param labels     1 or 0 per row
 * @throws {InputError} when lengths differ, or a prediction or label is neither 0 nor 1
 */
export function confusion(predicted: ArrayLike<number>, labels: ArrayLike<number>): Confusion {
  requireSameLength(predicted, labels, ["predicted classes", "labels"]);
  requireBinary(predicted);
  requireBinary(labels);
  const cells = new Float64Array(4);
  for (let row = 0; row < labels.length; row++) cells[cellOf(predicted[row], labels[row])]++;
  return confusionOf(cells);
}

/**
 * Matthews correlation coefficient: the correlation of prediction and truth, −1 to 1, 0 for chance.
 *
 * 0, as in scikit-learn, where only one class occurs among the predictions or the labels and the correlation
 * is 0/0: always predicting one class earns nothing, even where it is right.
 *
 * @returns  NaN without rows
 * @see Matthews 1975, doi:10.1016/0005-2795(75)90109-9
 */
export function matthews(counts: Confusion): number {
  const { truePositives: a, falsePositives: b, falseNegatives: c, trueNegatives: d } = counts;
  if (a + b + c + d === 0) return Number.NaN;
  const scale = Math.sqrt((a + b) * (c + d)) * Math.sqrt((a + c) * (b + d));
  return scale === 0 ? 0 : (a * d - b * c) / scale;
}

/**
 * `matthews` of rows in blocks, as a function of how often each block is counted.
 *
 * @throws {InputError} as `confusion`, or when the number of predictions is not the number of rows in blocks
 */
export function matthewsOver(
  predicted: ArrayLike<number>,
  labels: ArrayLike<number>,
  blocks: Blocks,
): BlockStatistic {
  requireSameLength(predicted, labels, ["predicted classes", "labels"]);
  requireSameLength(labels, blocks.of, ["labels", "rows in blocks"]);
  requireBinary(predicted);
  requireBinary(labels);
  const perBlock = new Float64Array(4 * blocks.sizes.length);
  for (let row = 0; row < labels.length; row++) {
    perBlock[4 * blocks.of[row] + cellOf(predicted[row], labels[row])]++;
  }
  const statistic = (times: Int32Array) => {
    const cells = new Float64Array(4);
    for (let i = 0; i < perBlock.length; i++) cells[i % 4] += times[i >> 2] * perBlock[i];
    return matthews(confusionOf(cells));
  };
  return Object.assign(statistic, { classes: classSizes(labels, blocks) });
}

/**
 * Matthews correlation with an interval for independent rows: the delta method on the scale of Fisher's z,
 * from the table with one half added to each cell, so that no cell is empty.
 *
 * @returns  bounds NaN without rows; method "fisher-z"
 * @throws {InputError} when the level is outside (0, 1)
 */
export function matthewsEstimate(counts: Confusion, level = 0.95): Estimate {
  const value = matthews(counts);
  const { truePositives, falsePositives, falseNegatives, trueNegatives } = counts;
  const n = truePositives + falsePositives + falseNegatives + trueNegatives;
  const a = truePositives + 0.5;
  const b = falsePositives + 0.5;
  const c = falseNegatives + 0.5;
  const d = trueNegatives + 0.5;
  const scale = Math.sqrt((a + b) * (c + d) * (a + c) * (b + d));
  const r = (a * d - b * c) / scale;
  // Partial derivatives of r by cell; weighted by the cells they sum to 0, so the multinomial variance has
  // one term.
  const slopes = [
    d / scale - (r / 2) * (1 / (a + b) + 1 / (a + c)),
    -c / scale - (r / 2) * (1 / (a + b) + 1 / (b + d)),
    -b / scale - (r / 2) * (1 / (c + d) + 1 / (a + c)),
    a / scale - (r / 2) * (1 / (c + d) + 1 / (b + d)),
  ];
  const variance = [a, b, c, d].reduce((total, cell, i) => total + cell * slopes[i] ** 2, 0);
  const half = (criticalValue(level) * Math.sqrt(variance)) / (1 - r * r);
  const centre = Math.atanh(r);
  const known = n > 0;
  return {
    value,
    low: known ? Math.min(Math.tanh(centre - half), value) : Number.NaN,
    high: known ? Math.max(Math.tanh(centre + half), value) : Number.NaN,
    n,
    method: "fisher-z",
  };
}

/** Cell of the table: 0 true positive, 1 false positive, 2 false negative, 3 true negative. */
function cellOf(predicted: number, label: number): number {
  return 2 * (1 - predicted) + (1 - label);
}

function confusionOf(cells: Float64Array): Confusion {
  return {
    truePositives: cells[0],
    falsePositives: cells[1],
    falseNegatives: cells[2],
    trueNegatives: cells[3],
  };
}
