import { elementCount } from "../arrays/array.ts";
import type { RunSizes } from "../graph/peak-values.ts";
import { peakValues } from "../graph/peak-values.ts";
import { gradientsOf } from "../graph/reverse.ts";
import type { Sym } from "../graph/sym.ts";
import { trainedSymbols } from "./train-step.ts";

/** Parameter, both moments and the sum of gradients, as they are given and as they come back, and the gradient itself. */
const PER_TRAINED_VALUE = 9;

/**
 * Bytes that a training step takes beside the frozen parameters: what is alive at once of a batch, and the trained values.
 *
 * @param trained  names of the parameters that are trained
 * @param sizes    `b`, sequences in a run, and whatever else the graph's inputs leave open
 */
export function stepBytes(loss: Sym, trained: Iterable<string>, sizes: RunSizes): number {
  const symbols = trainedSymbols(loss, trained).map(({ sym }) => sym);
  const values = symbols.reduce((sum, { shape }) => sum + elementCount(shape as readonly number[]), 0);
  return 4 * (peakValues([loss, ...gradientsOf(loss, symbols)], sizes) + PER_TRAINED_VALUE * values);
}
