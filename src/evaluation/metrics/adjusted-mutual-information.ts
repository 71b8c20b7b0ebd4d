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
  requireSameLength(labels, clusters, ["labels", "clusters"]);
  requireClasses(labels);
  requireClasses(clusters);
  const n = labels.length;
  if (n === 0) return Number.NaN;
  const sizesA = sizesOf(labels);
  const sizesB = sizesOf(clusters);
  if (sizesA.size === 1 && sizesB.size === 1) return 1;
  if (sizesA.size === n && sizesB.size === n) return 0;
  const expected = expectedMutualInformation([...sizesA.values()], [...sizesB.values()], n);
  const most = (entropy(sizesA.values(), n) + entropy(sizesB.values(), n)) / 2;
  return (mutualInformation(labels, clusters, sizesA, sizesB) - expected) / (most - expected);
}

function sizesOf(partition: ArrayLike<number>): Map<number, number> {
  const sizes = new Map<number, number>();
  for (let row = 0; row < partition.length; row++) {
    sizes.set(partition[row]!, (sizes.get(partition[row]!) ?? 0) + 1);
  }
  return sizes;
}

/** In nats. */
function entropy(sizes: Iterable<number>, n: number): number {
  let total = 0;
  for (const size of sizes) total -= (size / n) * Math.log(size / n);
  return total;
}

/** In nats. */
function mutualInformation(
  labels: ArrayLike<number>,
  clusters: ArrayLike<number>,
  sizesA: ReadonlyMap<number, number>,
  sizesB: ReadonlyMap<number, number>,
): number {
  const n = labels.length;
  const cells = new Map<number, Map<number, number>>();
  for (let row = 0; row < n; row++) {
    let inClass = cells.get(labels[row]!);
    if (inClass === undefined) {
      inClass = new Map();
      cells.set(labels[row]!, inClass);
    }
    inClass.set(clusters[row]!, (inClass.get(clusters[row]!) ?? 0) + 1);
  }
  let total = 0;
  for (const [label, inClass] of cells) {
    for (const [cluster, together] of inClass) {
      total += (together / n) * Math.log((n * together) / (sizesA.get(label)! * sizesB.get(cluster)!));
    }
  }
  return Math.max(total, 0);
}

/**
 * Mutual information of two random partitions with these sizes, in nats: over every pair of a class and a cluster, the
 * mean over the hypergeometric distribution of how many rows they share.
 */
function expectedMutualInformation(a: readonly number[], b: readonly number[], n: number): number {
  let total = 0;
  // Pairs of equal sizes have equal terms; sizes recur, most of all among small clusters.
  for (const [sizeA, timesA] of sizesOf(a)) {
    for (const [sizeB, timesB] of sizesOf(b)) total += timesA * timesB * expectedTerm(sizeA, sizeB, n);
  }
  return total;
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
