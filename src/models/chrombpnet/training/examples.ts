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
   * Windows are moved at random within the room they have, and every second example of an epoch is read on the other
   * strand. Left out, windows lie in the middle and are read as they are.
   */
  readonly augment?: { readonly seed: number; readonly batchSize: number };
}

/** Regions as batches: `x`, one-hot [b, inputLength, 4], and `counts`, reads [b, outputLength]. */
export function regionExamples(windows: readonly RegionWindow[], options: ExampleOptions): ExampleSource {
  return {
    examples: windows.length,
    batch: async (rows, place) => feedsOf(windows, rows, place, options),
  };
}

/** The same in parts of at most so many regions, each with its `share` of the batch. */
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

/** @param from  where the rows begin in their batch */
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
    // The order of an epoch is a random one, so this is a random half of it.
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

/** Where a window begins in the room it has, 0 to `room`. */
function shift(seed: number, epoch: number, row: number, room: number): number {
  if (room === 0) return 0;
  return Math.floor(new Pcg64(seedOf([seed, "shift", epoch, row])).nextFloat64() * (room + 1));
}
