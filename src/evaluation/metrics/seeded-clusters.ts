import { adjustedMutualInformationOver } from "./adjusted-mutual-information.ts";
import type { Blocks } from "./blocks.ts";
import type { Estimate } from "./estimate.ts";
import { blockJackknife } from "./jackknife.ts";
import { kMeans } from "./k-means.ts";
import type { Matrix } from "./matrix.ts";
import { seedSpread } from "./seed-spread.ts";
import { mean } from "./sum.ts";

export interface SeededClusters {
  /** Clusters of each row, one entry per seed: [seeds][rows]. */
  readonly clusters: readonly Int32Array[];
  /** Adjusted mutual information of labels and clusters, one per seed. */
  readonly scores: readonly number[];
}

/**
 * k-means again and again, with the seeds 0, 1, 2, …, each compared with the rows' labels.
 *
 * @param data    [rows, columns], at least k rows
 * @param labels  class of each row, from 0
 * @throws {InputError} as `kMeans`
 */
export function seededClusters(
  data: Matrix,
  labels: ArrayLike<number>,
  { k, seeds, blocks }: { readonly k: number; readonly seeds: number; readonly blocks: Blocks },
): SeededClusters {
  const everyBlock = new Int32Array(blocks.sizes.length).fill(1);
  const clusters = Array.from({ length: seeds }, (_, seed) => kMeans(data, k, seed).clusters);
  const scores = clusters.map((found) => adjustedMutualInformationOver(labels, found, blocks)(everyBlock));
  return { clusters, scores };
}

/** The mean over seeds with the original's spread, which says how much the random start matters and no more. */
export const scoreSpread = ({ scores }: SeededClusters): Estimate => seedSpread(scores);

/**
 * The mean over seeds with the interval of the delete-one-block jackknife: how far it would move with other stretches of
 * genome, the clusters being those found with all rows. The spread between seeds is not part of it, which the mean over many
 * makes small.
 */
export function scoreOverBlocks(
  { clusters }: SeededClusters,
  labels: ArrayLike<number>,
  blocks: Blocks,
): Estimate {
  const scores = clusters.map((found) => adjustedMutualInformationOver(labels, found, blocks));
  const { value, low, high, n, method } = blockJackknife(blocks, (times) =>
    mean(scores.map((score) => score(times))),
  );
  return { value, low, high: Math.min(high, 1), n, method };
}
