import { type BlockStatistic, type Blocks, singleRows } from "./blocks.ts";
import { requireClasses, requireSameLength } from "./input-checks.ts";

/**
 * Adjusted mutual information of two partitions of the same rows: (MI − E) / (mean entropy − E), where E is the mutual
 * information expected of random partitions with the same sizes. 1 for the same partition under other names, about 0
 * for unrelated ones, whatever the number of clusters.
 *
 * Agrees with scikit-learn's `adjusted_mutual_info_score` (arithmetic mean), its limiting cases included: 1 where both
 * put all rows together; 0 where both put every row apart, since any two such partitions agree.
 *
 * @param labels    class of each row, whole numbers from 0
 * @param clusters  cluster of each row, whole numbers from 0
 * @returns         at most 1; NaN without rows
 * @throws {InputError} when lengths differ, or a number is not a whole one from 0
 * @see Vinh, Epps & Bailey 2010, JMLR 11:2837–2854
 */
export function adjustedMutualInformation(labels: ArrayLike<number>, clusters: ArrayLike<number>): number {
  const rows = singleRows(labels.length);
  return adjustedMutualInformationOver(labels, clusters, rows)(rows.sizes);
}

/**
 * `adjustedMutualInformation` of rows that come in blocks, as a function of how often each block is there; the clusters
 * are those found with all rows. For `blockJackknife`. Not for a bootstrap: rows drawn twice agree with themselves, which
 * raises the score.
 *
 * @throws {InputError} as `adjustedMutualInformation`, or when there is not one label per row of the blocks
 */
export function adjustedMutualInformationOver(
  labels: ArrayLike<number>,
  clusters: ArrayLike<number>,
  blocks: Blocks,
): BlockStatistic {
  requireSameLength(labels, clusters, ["labels", "clusters"]);
  requireSameLength(labels, blocks.of, ["labels", "rows in blocks"]);
  requireClasses(labels);
  requireClasses(clusters);
  return (times) => {
    const ofLabels = new Map<number, number>();
    const ofClusters = new Map<number, number>();
    const together = new Map<number, Map<number, number>>();
    let n = 0;
    for (let row = 0; row < labels.length; row++) {
      const weight = times[blocks.of[row]!]!;
      if (weight === 0) continue;
      const label = labels[row]!;
      const cluster = clusters[row]!;
      n += weight;
      add(ofLabels, label, weight);
      add(ofClusters, cluster, weight);
      let inClass = together.get(label);
      if (inClass === undefined) {
        inClass = new Map();
        together.set(label, inClass);
      }
      add(inClass, cluster, weight);
    }
    return score(ofLabels, ofClusters, together, n);
  };
}

/** Sizes by name, of the classes, of the clusters and of what they share. */
type Sizes = ReadonlyMap<number, number>;

function add(sizes: Map<number, number>, name: number, weight: number): void {
  sizes.set(name, (sizes.get(name) ?? 0) + weight);
}

function score(a: Sizes, b: Sizes, together: ReadonlyMap<number, Sizes>, n: number): number {
  if (n === 0) return Number.NaN;
  if (a.size === 1 && b.size === 1) return 1;
  if (a.size === n && b.size === n) return 0;
  let shared = 0;
  for (const [label, inClass] of together) {
    for (const [cluster, rows] of inClass) {
      shared += (rows / n) * Math.log((n * rows) / (a.get(label)! * b.get(cluster)!));
    }
  }
  const expected = expectedMutualInformation(a.values(), b.values(), n);
  const most = (entropy(a.values(), n) + entropy(b.values(), n)) / 2;
  return (Math.max(shared, 0) - expected) / (most - expected);
}

/** In nats. */
function entropy(sizes: Iterable<number>, n: number): number {
  let total = 0;
  for (const size of sizes) total -= (size / n) * Math.log(size / n);
  return total;
}

/**
 * Mutual information of two random partitions with these sizes, in nats: over every pair of a class and a cluster, the
 * mean over the hypergeometric distribution of how many rows they share.
 */
function expectedMutualInformation(a: Iterable<number>, b: Iterable<number>, n: number): number {
  const timesB = timesOf(b);
  let total = 0;
  // Pairs of equal sizes have equal terms, and small sizes recur.
  for (const [sizeA, times] of timesOf(a)) {
    for (const [sizeB, timesOfB] of timesB) total += times * timesOfB * expectedTerm(sizeA, sizeB, n);
  }
  return total;
}

/** How often each size occurs. */
function timesOf(sizes: Iterable<number>): Sizes {
  const times = new Map<number, number>();
  for (const size of sizes) add(times, size, 1);
  return times;
}

/** E[(k/n) ln(nk/(ab))] for k hypergeometric: rows of a class of size a in a cluster of size b, of n. */
function expectedTerm(a: number, b: number, n: number): number {
  const least = Math.max(0, a + b - n);
  const most = Math.min(a, b);
  const value = (k: number) => (k === 0 ? 0 : (k / n) * Math.log((n * k) / (a * b)));
  // From the mode outwards by ratios of neighbours, then scaled: no factorials, no cancellation.
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
