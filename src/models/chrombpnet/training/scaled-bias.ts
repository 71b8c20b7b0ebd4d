import { InputError } from "../../../base/errors.ts";
import type { ProgramOptions } from "../../../net/runtime/program.ts";
import type { StoredBpnet } from "../keras-bpnet.ts";
import { openPredictor } from "../predictor.ts";
import type { RegionWindow } from "./windows.ts";
import { trimmed } from "./windows.ts";

/** A region's window with the reads in its middle. */
export interface CountedWindow {
  readonly window: RegionWindow;
  readonly reads: number;
}

/**
 * The network of the bias with one number more on its log counts, so that their mean over some regions is the mean that was
 * observed: the bias may come from a deeper or a shallower experiment.
 *
 * @throws {InputError} when there is no region
 */
export async function biasScaledTo(
  windows: readonly CountedWindow[],
  bias: StoredBpnet,
  { program, abort }: { readonly program?: ProgramOptions; readonly abort?: AbortSignal },
): Promise<StoredBpnet> {
  if (windows.length === 0) throw new InputError("no non-peak is left to fit the counts of the bias to");
  const { inputLength } = bias.sizes;
  await using predictor = await openPredictor({ bias }, program);
  const codes = windows.map(({ window }) => trimmed(window, inputLength).codes);
  const predicted = await predictor.predict(codes, abort);
  const difference = windows.reduce(
    (sum, { reads }, i) => sum + (Math.log1p(reads) - predicted[i]!.logCounts) / windows.length,
    0,
  );
  const { data } = bias.arrays.get("counts.bias")!;
  const moved = {
    dtype: "float32",
    shape: [1],
    data: Float32Array.of(Number(data[0]) + difference),
  } as const;
  return { sizes: bias.sizes, arrays: new Map([...bias.arrays, ["counts.bias", moved]]) };
}
