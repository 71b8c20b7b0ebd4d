import { type Blocks, blockSums } from "./blocks.ts";
import { requireBinary, requireFinite, requireSameLength } from "./input-checks.ts";
import { tieGroups } from "./ranks.ts";

/** Rows of two classes by increasing score: what a curve over thresholds walks along. */
export interface RankedClasses {
  /** 1 positive, 0 negative. [rows, by score] */
  readonly positive: Uint8Array;
  /** Each row's block. [rows, by score] */
  readonly block: Int32Array;
  /** End (exclusive) of each group of equal scores. */
  readonly ends: Uint32Array;
}

/** Rows of each of two classes in each block. [classes][blocks] */
export function classSizes(labels: ArrayLike<number>, blocks: Blocks): readonly Float64Array[] {
  const positives = blockSums(labels, blocks);
  return [positives, positives.map((count, block) => blocks.sizes[block]! - count)];
}

/** @throws {InputError} when lengths differ, a score is not finite or a label neither 0 nor 1 */
export function rankClasses(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  blocks: Blocks,
): RankedClasses {
  requireSameLength(scores, labels, ["scores", "labels"]);
  requireSameLength(scores, blocks.of, ["scores", "rows in blocks"]);
  requireFinite(scores, "score");
  requireBinary(labels);
  const { order, ends } = tieGroups(scores);
  return {
    positive: Uint8Array.from(order, (row) => labels[row]!),
    block: Int32Array.from(order, (row) => blocks.of[row]!),
    ends,
  };
}
