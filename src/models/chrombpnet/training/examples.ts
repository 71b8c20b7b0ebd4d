import { Pcg64 } from "../../../base/pcg64.ts";
import { seedOf } from "../../../base/random.ts";
import { reverseComplementCodes } from "../../../dna/sequence/reverse-complement.ts";
import type { BatchPart, BatchPlace, ExampleSource, Feeds } from "../../../net/train/batches.ts";
import { oneHotRows } from "../predictor.ts";
import type { RegionWindow } from "../regions.ts";

export interface ExampleOptions {
  readonly inputLength: number;
  readonly outputLength: number;
  /**
   * Data augmentation: windows are shifted at random within their margins, and a random half of each epoch is
   * reverse-complemented. Without it, windows are centred.
   */
  readonly augment?: { readonly seed: number; readonly batchSize: number };
}

/** Batches of regions: `x`, one-hot [b, inputLength, 4], and `counts`, reads [b, outputLength]. */
export function regionExamples(windows: readonly RegionWindow[], options: ExampleOptions): ExampleSource {
  return {
    examples: windows.length,
    batch: async (rows, place) => feedsOf(windows, rows, place, options),
  };
}

/** Batches split into parts of at most `most` regions, each with its `share` of the batch. */
export function regionExamplesInParts(
  windows: readonly RegionWindow[],
  options: ExampleOptions,
  most: number,
): ExampleSource<readonly BatchPart[]> {
  return {
    examples: windows.length,
    batch: async (rows, place) =>
      Array.from({ length: Math.ceil(rows.length / most) }, (_, part) => async () => {
        const some = rows.subarray(part * most, (part + 1) * most);
        const share = Float32Array.of(some.length / rows.length);
        return {
          ...feedsOf(windows, some, place, options, part * most),
          share: { dtype: "float32", shape: [], data: share },
        };
      }),
  };
}

/** @param from  index of the first row in its batch */
function feedsOf(
  windows: readonly RegionWindow[],
  rows: Int32Array,
  { epoch, batch }: BatchPlace,
  { inputLength, outputLength, augment }: ExampleOptions,
  from = 0,
): Feeds {
  const sequences: Uint8Array[] = [];
  const counts = new Float32Array(rows.length * outputLength);
  rows.forEach((row, i) => {
    const region = windows[row];
    const room = region.codes.length - inputLength;
    const start = augment === undefined ? room / 2 : shift(augment.seed, epoch, row, room);
    const codes = region.codes.slice(start, start + inputLength);
    const reads = region.counts.slice(start, start + outputLength);
    // The order of an epoch is random, so this is a random half of it.
    if (augment !== undefined && (batch * augment.batchSize + from + i) % 2 === 1) {
      reverseComplementCodes(codes);
      reads.reverse();
    }
    sequences.push(codes);
    counts.set(reads, i * outputLength);
  });
  return {
    x: oneHotRows(sequences, inputLength),
    counts: { dtype: "float32", shape: [rows.length, outputLength], data: counts },
  };
}

/** Random start of a window within its margin: a whole number from 0 to `room`. */
function shift(seed: number, epoch: number, row: number, room: number): number {
  if (room === 0) return 0;
  return Math.floor(new Pcg64(seedOf([seed, "shift", epoch, row])).nextFloat64() * (room + 1));
}
