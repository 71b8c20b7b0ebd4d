import type { Model } from "../../models/model.ts";
import type { Example, RowNumbers } from "../tasks/task.ts";

/**
 * Rows are put in order within blocks of this many: their letters are fetched and their tokens counted once per block,
 * few chromosomes are needed at a time, and almost no batch mixes long with short.
 */
const BLOCK_ROWS = 4096;

/** Consecutive rows of a shard, block by block. */
export function* blocksOf(rows: RowNumbers, size = BLOCK_ROWS): Generator<RowNumbers> {
  for (let start = 0; start < rows.length; start += size) yield rows.subarray(start, start + size);
}

/**
 * A block's examples in the order in which they are scored: fewest tokens first (those of the longest sequence of the
 * row), so that little of a batch is padding; in table order where the model does not count tokens or all are alike.
 *
 * It depends on the rows and the model alone. A run that goes on after a kill therefore finds the batches it would have
 * had.
 */
export function inScoringOrder(examples: readonly Example[], model: Model): readonly Example[] {
  if (model.tokenCount === undefined) return examples;
  const tokens = examples.map((example) => longest(example, model));
  const order = examples.map((_, i) => i).sort((a, b) => tokens[a]! - tokens[b]! || a - b);
  return order.map((i) => examples[i]!);
}

/** Whether a model must be given the letters of sequences: the option of `OpenTask.examples`. */
export const lettersFor = ({ readsLetters = true }: Model) => ({ letters: readsLetters });

/** Tokens of the longest sequence of an example. */
export function longest({ sequences }: Example, model: Model): number {
  return Math.max(...sequences.map((letters) => model.tokenCount?.(letters) ?? letters.length));
}
