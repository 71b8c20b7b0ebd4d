import { InputError } from "../../base/errors.ts";
import { Pcg64 } from "../../base/pcg64.ts";
import { seedOf } from "../../base/random.ts";
import type { NdArray } from "../arrays/array.ts";

/** Values of a program's inputs, by name. */
export type Feeds = Readonly<Record<string, NdArray>>;

/** A part of a batch, whose inputs are created when it is due. */
export type BatchPart = () => Promise<Feeds>;

/**
 * Position of a batch in a training run, which seeds its random numbers, so that a resumed run draws the same
 * ones.
 */
export interface BatchPlace {
  /** 0-based. */
  readonly epoch: number;
  /** 0-based, within the epoch. */
  readonly batch: number;
}

/** Examples that are read batch by batch, so that they never all need to be in memory. */
export interface ExampleSource<Filled = Feeds> {
  readonly examples: number;
  /**
   * Inputs for some examples, given by their 0-based positions in file order. The next batch is requested
   * while the previous one is computed, but never two at a time.
   */
  batch(rows: Int32Array, place: BatchPlace): Promise<Filled>;
}

/** Examples of an epoch, and their order. */
export type ExampleOrder =
  /** All in file order in every epoch, as in the original. */
  | { readonly kind: "file" }
  /** All in an order drawn for each epoch. */
  | { readonly kind: "shuffled"; readonly seed: number }
  /**
   * A selection by 0-based positions in file order. It must be the same whenever it is requested for an
   * epoch, and everything it depends on must be part of the identity of the training run.
   */
  | { readonly kind: "chosen"; rows(epoch: number): Int32Array };

/**
 * Examples of an epoch in order, as 0-based positions in file order. Depends only on the order and the epoch.
 */
export function orderOfEpoch(order: ExampleOrder, examples: number, epoch: number): Int32Array {
  switch (order.kind) {
    case "file":
      return Int32Array.from({ length: examples }, (_, i) => i);
    case "shuffled":
      return shuffledPlaces(examples, order.seed, epoch);
    case "chosen":
      return order.rows(epoch);
  }
}

/** A permutation of the positions 0 to `examples − 1`, drawn for the epoch. */
export function shuffledPlaces(examples: number, seed: number, epoch: number): Int32Array {
  return new Pcg64(seedOf([seed, "order of epoch", epoch])).permutation(examples);
}

/** Number of batches of an epoch; the last may be smaller. */
export const batchCount = (examples: number, batchSize: number) => Math.ceil(examples / batchSize);

export interface FilledBatch<Filled = Feeds> extends BatchPlace {
  readonly rows: Int32Array;
  readonly feeds: Filled;
}

/**
 * Batches of consecutive examples of an order, from batch `from` on. Reads one batch ahead.
 *
 * @throws {InputError} when there are no examples, or the batch size is not a positive whole number
 */
export async function* filledBatches<Filled>(
  source: ExampleSource<Filled>,
  order: Int32Array,
  { batchSize, epoch, from = 0 }: { batchSize: number; epoch: number; from?: number },
): AsyncGenerator<FilledBatch<Filled>> {
  if (order.length === 0) throw new InputError("there are no examples");
  if (!(Number.isInteger(batchSize) && batchSize > 0)) {
    throw new InputError(`the batch size is ${batchSize}; expected a whole number above 0`);
  }
  const count = batchCount(order.length, batchSize);
  const fill = (batch: number) => {
    const rows = order.subarray(batch * batchSize, (batch + 1) * batchSize);
    const filled = source.batch(rows, { epoch, batch }).then((feeds) => ({ epoch, batch, rows, feeds }));
    // The consumer of a batch gets its error; a batch that is never consumed may fail silently.
    filled.catch(() => {});
    return filled;
  };
  let next = from < count ? fill(from) : undefined;
  for (let batch = from; next !== undefined; batch++) {
    const filled: FilledBatch<Filled> = await next;
    next = batch + 1 < count ? fill(batch + 1) : undefined;
    yield filled;
  }
}
