import { InputError } from "../../base/errors.ts";
import { Pcg64 } from "../../base/pcg64.ts";
import { seedOf } from "../../base/random.ts";
import type { NdArray } from "../arrays/array.ts";

/** Values of a program's inputs, by name. */
export type Feeds = Readonly<Record<string, NdArray>>;

/** A part of a batch, whose inputs are made when it is its turn. */
export type BatchPart = () => Promise<Feeds>;

/** Which batch of a training is meant; random numbers of a batch are drawn from its place, so that a restart draws the same. */
export interface BatchPlace {
  /** 0-based. */
  readonly epoch: number;
  /** 0-based, in the epoch. */
  readonly batch: number;
}

/** Examples that are read batch by batch, so that they never need to be in memory at once. */
export interface ExampleSource<Filled = Feeds> {
  readonly examples: number;
  /**
   * The inputs for some examples, named by their 0-based places in file order. The next batch is asked for while the last is
   * computed, but never two at a time.
   */
  batch(rows: Int32Array, place: BatchPlace): Promise<Filled>;
}

/** Which examples an epoch sees, and in which order. */
export type ExampleOrder =
  /** All in file order, every epoch alike, as the original trains. */
  | { readonly kind: "file" }
  /** All in an order drawn anew for every epoch. */
  | { readonly kind: "shuffled"; readonly seed: number }
  /**
   * Those that the caller chooses, by their 0-based places in file order. They must be the same for an epoch whenever they are
   * asked for, and what decides them must be part of the training's identity.
   */
  | { readonly kind: "chosen"; rows(epoch: number): Int32Array };

/** The examples of an epoch in their order: 0-based places in file order. They depend on the order and the epoch alone. */
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

/** The places 0 to `examples - 1` in an order of the epoch's own. */
export function shuffledPlaces(examples: number, seed: number, epoch: number): Int32Array {
  return new Pcg64(seedOf([seed, "order of epoch", epoch])).permutation(examples);
}

/** Batches in which a number of examples is seen; the last may be smaller. */
export const batchCount = (examples: number, batchSize: number) => Math.ceil(examples / batchSize);

export interface FilledBatch<Filled = Feeds> extends BatchPlace {
  readonly rows: Int32Array;
  readonly feeds: Filled;
}

/**
 * Batches of consecutive places of an order, from batch `from` on. One batch is read ahead.
 *
 * @throws {InputError} when there is no example, or the batch size is not a positive whole number
 */
export async function* filledBatches<Filled>(
  source: ExampleSource<Filled>,
  order: Int32Array,
  { batchSize, epoch, from = 0 }: { batchSize: number; epoch: number; from?: number },
): AsyncGenerator<FilledBatch<Filled>> {
  if (order.length === 0) throw new InputError("there are no examples");
  if (!(Number.isInteger(batchSize) && batchSize > 0)) {
    throw new InputError(`a batch of ${batchSize} examples is not possible`);
  }
  const count = batchCount(order.length, batchSize);
  const fill = (batch: number) => {
    const rows = order.subarray(batch * batchSize, (batch + 1) * batchSize);
    const filled = source.batch(rows, { epoch, batch }).then((feeds) => ({ epoch, batch, rows, feeds }));
    // Whoever takes the batch learns of the error; a batch that nobody takes any more needs none.
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
