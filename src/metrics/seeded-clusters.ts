import type { LeftOut } from "./adjusted-mutual-information.ts";
import type { Blocks } from "./blocks.ts";
import type { Estimate } from "./intervals.ts";
import { jackknifeOf } from "./jackknife.ts";
import { KMeans } from "./k-means.ts";
import type { Matrix } from "./matrix.ts";
import { mean } from "./mean.ts";
import { percentiles } from "./quantiles.ts";

/** Cache of clusterings by seed. */
export interface CachedClusterings {
  /** Cluster of each row; undefined for a seed that is not cached. */
  find(seed: number): Int32Array | undefined;
  store(seed: number, clusters: Int32Array): Promise<void>;
}

export interface SeededOptions {
  readonly k: number;
  /** Number of seeds: 0, 1, 2, … */
  readonly seeds: number;
  readonly cached?: CachedClusterings | undefined;
  /**
   * Awaited before the first seed and after each one, with the number of seeds done: reports progress and
   * lets other work run. An error it throws ends the clustering.
   */
  readonly between?: ((done: number) => Promise<void>) | undefined;
}

/** Adjusted mutual information of labels and clusters per seed, also with each block left out in turn. */
export type SeededScores = readonly LeftOut[];

/**
 * k-means with the seeds 0, 1, 2, …, and a score of each clustering.
 *
 * @param data     [rows, columns], at least k rows; requested only if some seed is not cached
 * @param scoreOf  takes the cluster of each row
 * @throws {InputError} as `KMeans`
 */
export async function seededClusters<Score>(
  data: () => Promise<Matrix>,
  scoreOf: (clusters: Int32Array) => Score,
  { k, seeds, cached, between }: SeededOptions,
): Promise<readonly Score[]> {
  const scores: Score[] = [];
  let table: KMeans | undefined;
  await between?.(0);
  for (let seed = 0; seed < seeds; seed++) {
    let clusters = cached?.find(seed);
    if (clusters === undefined) {
      table ??= new KMeans(await data(), k);
      clusters = table.fit(seed).clusters;
      await cached?.store(seed, clusters);
    }
    scores.push(scoreOf(clusters));
    await between?.(seed + 1);
  }
  return scores;
}

/** Mean over seeds with the spread of the original, which measures the effect of the random start alone. */
export const scoreSpread = (scores: SeededScores): Estimate => seedSpread(scores.map(({ value }) => value));

/**
 * Mean over seeds with the interval of the delete-one-block jackknife: the variation over other stretches of
 * genome, with the clusters of all rows. The spread between seeds, which averaging makes small, is not
 * included.
 */
export function scoreOverBlocks(scores: SeededScores, blocks: Blocks): Estimate {
  const without = Float64Array.from(blocks.sizes, (_, block) =>
    mean(scores.map((score) => score.without[block])),
  );
  const estimate = jackknifeOf(blocks, {
    value: mean(scores.map((score) => score.value)),
    without,
  });
  return { ...estimate, high: Math.min(estimate.high, 1) };
}

/**
 * Mean of a score over seeds, with the spread that the original reports for the clustering of Task 3: mean ±
 * the larger distance to the 2.5 % and 97.5 % quantiles of the scores.
 *
 * It measures the effect of the random start, not of other rows or other genomes: it is not a confidence
 * interval of the model's performance.
 *
 * @param scores  one per seed
 * @returns       n is the number of seeds; NaN throughout without one; method "seed-spread"
 * @throws {InputError} when a score is not finite
 */
export function seedSpread(scores: ArrayLike<number>): Estimate {
  const [low, high] = percentiles(scores, [2.5, 97.5]);
  const value = mean(scores);
  const half = Math.max(Math.abs(value - low), Math.abs(value - high));
  return { value, low: value - half, high: value + half, n: scores.length, method: "seed-spread" };
}
