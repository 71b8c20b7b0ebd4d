import { valueAt } from "../base/record.ts";
import { type BlockStatistic, type Blocks, rowsOfBlocks } from "./blocks.ts";
import { requireClasses, requireSameLength } from "./input-checks.ts";

/**
 * Adjusted mutual information of two partitions of the same rows: (MI − E) / (mean entropy − E), where E is
 * the expected mutual information of random partitions with the same cluster sizes. 1 for equal partitions
 * (names do not matter), about 0 for unrelated ones, whatever the number of clusters.
 *
 * Agrees with scikit-learn's `adjusted_mutual_info_score` (arithmetic mean), including 1 where both have a
 * single cluster. Where every row is a cluster of its own in both, the score is 0, since any two such
 * partitions agree; scikit-learn gives 0 or 1 there, depending on rounding.
 *
 * @param labels    class of each row, whole numbers from 0
 * @param clusters  cluster of each row, whole numbers from 0
 * @returns         at most 1; NaN without rows
 * @throws {InputError} when lengths differ, or a class or cluster is not a whole number from 0
 * @see Vinh, Epps & Bailey 2010, JMLR 11:2837–2854
 */
export function adjustedMutualInformation(labels: ArrayLike<number>, clusters: ArrayLike<number>): number {
  requirePartitions(labels, clusters);
  const table = new ContingencyTable();
  for (let row = 0; row < labels.length; row++) table.add(labels[row], clusters[row], 1);
  return table.score();
}

/** A score of all rows, and with each block left out in turn; the clusters are those of all rows. */
export interface LeftOut {
  readonly value: number;
  /** NaN where no row remains. [blocks] */
  readonly without: Float64Array;
}

/**
 * `adjustedMutualInformation` of rows in blocks, with each block left out once, for `jackknifeOf`. Not suited
 * to a bootstrap: rows drawn twice agree with themselves, which raises the score.
 *
 * @throws {InputError} as `adjustedMutualInformation`, or when the number of labels is not the number of rows
 *                      in blocks
 */
export function adjustedMutualInformationWithout(
  labels: ArrayLike<number>,
  clusters: ArrayLike<number>,
  blocks: Blocks,
): LeftOut {
  requirePartitions(labels, clusters);
  requireSameLength(labels, blocks.of, ["labels", "rows in blocks"]);
  const table = new ContingencyTable();
  for (let row = 0; row < labels.length; row++) table.add(labels[row], clusters[row], 1);
  // Leaving out one row gives the same score for every row of the same class and cluster.
  const ofOne = new Map<string, number>();
  const scoreWithout = (rows: Int32Array) => {
    for (const row of rows) table.add(labels[row], clusters[row], -1);
    const score = table.score();
    for (const row of rows) table.add(labels[row], clusters[row], 1);
    return score;
  };
  const without = Float64Array.from(rowsOfBlocks(blocks), (rows) => {
    if (rows.length > 1) return scoreWithout(rows);
    const kind = `${labels[rows[0]]} ${clusters[rows[0]]}`;
    const score = ofOne.get(kind) ?? scoreWithout(rows);
    ofOne.set(kind, score);
    return score;
  });
  return { value: table.score(), without };
}

/**
 * `adjustedMutualInformation` of rows in blocks, as a function of which blocks are counted: 0 times or once.
 * The clusters are those of all rows.
 *
 * @throws {InputError} as `adjustedMutualInformationWithout`
 */
export function adjustedMutualInformationOver(
  labels: ArrayLike<number>,
  clusters: ArrayLike<number>,
  blocks: Blocks,
): BlockStatistic {
  requirePartitions(labels, clusters);
  requireSameLength(labels, blocks.of, ["labels", "rows in blocks"]);
  const table = new ContingencyTable();
  const rows = rowsOfBlocks(blocks);
  const add = (block: number, times: number) => {
    for (const row of rows[block]) table.add(labels[row], clusters[row], times);
  };
  for (let row = 0; row < labels.length; row++) table.add(labels[row], clusters[row], 1);
  return (times) => {
    times.forEach((counted, block) => {
      if (counted === 0) add(block, -1);
    });
    const score = table.score();
    times.forEach((counted, block) => {
      if (counted === 0) add(block, 1);
    });
    return score;
  };
}

function requirePartitions(labels: ArrayLike<number>, clusters: ArrayLike<number>): void {
  requireSameLength(labels, clusters, ["labels", "clusters"]);
  requireClasses(labels);
  requireClasses(clusters);
}

/** Number of rows by class or by cluster. */
type Sizes = ReadonlyMap<number, number>;

/** Number of rows per class, per cluster and per pair of both. */
class ContingencyTable {
  private readonly ofLabels = new Map<number, number>();
  private readonly ofClusters = new Map<number, number>();
  private readonly together = new Map<number, Map<number, number>>();
  private n = 0;

  /**
   * @param times  1 to add a row, −1 to remove it; sizes of 0 are kept, so that sums are always taken in the
   *               same order
   */
  add(label: number, cluster: number, times: number): void {
    this.n += times;
    add(this.ofLabels, label, times);
    add(this.ofClusters, cluster, times);
    let inClass = this.together.get(label);
    if (inClass === undefined) {
      inClass = new Map();
      this.together.set(label, inClass);
    }
    add(inClass, cluster, times);
  }

  score(): number {
    const { n } = this;
    const [a, b] = [sizesAbove0(this.ofLabels), sizesAbove0(this.ofClusters)];
    if (n === 0) return Number.NaN;
    if (a.length === 1 && b.length === 1) return 1;
    if (a.length === n && b.length === n) return 0;
    let mutual = 0;
    for (const [label, inClass] of this.together) {
      for (const [cluster, rows] of inClass) {
        if (rows === 0) continue;
        const apart = valueAt(this.ofLabels, label) * valueAt(this.ofClusters, cluster);
        mutual += (rows / n) * Math.log((n * rows) / apart);
      }
    }
    const expected = expectedMutualInformation(a, b, n);
    const most = (entropy(a, n) + entropy(b, n)) / 2;
    return (Math.max(mutual, 0) - expected) / (most - expected);
  }
}

function add(sizes: Map<number, number>, name: number, times: number): void {
  sizes.set(name, (sizes.get(name) ?? 0) + times);
}

const sizesAbove0 = (sizes: Sizes): readonly number[] => [...sizes.values()].filter((size) => size > 0);

/** Entropy of a partition, in nats. */
function entropy(sizes: Iterable<number>, n: number): number {
  let total = 0;
  for (const size of sizes) total -= (size / n) * Math.log(size / n);
  return total;
}

/**
 * Expected mutual information of two random partitions with these sizes, in nats: over every pair of a class
 * and a cluster, the mean over the hypergeometric distribution of the rows they share.
 */
function expectedMutualInformation(a: Iterable<number>, b: Iterable<number>, n: number): number {
  const timesB = timesOf(b);
  let total = 0;
  // Pairs of equal sizes have equal terms: each distinct pair of sizes is computed once.
  for (const [sizeA, times] of timesOf(a)) {
    for (const [sizeB, timesOfB] of timesB) total += times * timesOfB * expectedTerm(sizeA, sizeB, n);
  }
  return total;
}

/** Number of classes or clusters of each size. */
function timesOf(sizes: Iterable<number>): Sizes {
  const times = new Map<number, number>();
  for (const size of sizes) add(times, size, 1);
  return times;
}

/**
 * E[(k/n) ln(nk/(ab))] for hypergeometric k: the rows shared by a class of size a and a cluster of size b, of
 * n rows.
 */
function expectedTerm(a: number, b: number, n: number): number {
  const least = Math.max(0, a + b - n);
  const most = Math.min(a, b);
  const value = (k: number) => (k === 0 ? 0 : (k / n) * Math.log((n * k) / (a * b)));
  // Weights by ratios of neighbours from the mode outwards, normalised last: no factorials, no cancellation.
  const mode = Math.min(Math.max(Math.floor(((a + 1) * (b + 1)) / (n + 2)), least), most);
  let weights = 1;
  let weighted = value(mode);
  for (let k = mode, weight = 1; k < most && weight > 0; k++) {
    weight *= ((a - k) * (b - k)) / ((k + 1) * (n - a - b + k + 1));
    weights += weight;
    weighted += weight * value(k + 1);
  }
  for (let k = mode, weight = 1; k > least && weight > 0; k--) {
    weight *= (k * (n - a - b + k)) / ((a - k + 1) * (b - k + 1));
    weights += weight;
    weighted += weight * value(k - 1);
  }
  return weighted / weights;
}
