import { add, conv, expand, fill, mul, reshape, slice } from "../graph/build.ts";
import { type Dim, knownSize } from "../graph/dim.ts";
import type { Sym } from "../graph/sym.ts";

// axes: b batch · d channels · t tokens · k kernel

/** A convolution with one kernel per channel. */
export interface DepthwiseConvolution {
  /** [d, 1, k] */
  readonly weight: Sym;
  /** [d]; zeros if absent */
  readonly bias?: Sym | undefined;
}

/**
 * Causal convolution, one kernel per channel: output t depends on inputs t − k + 1 … t, with zeros before the
 * first. x: [b, d, t] → the same
 */
export function shortCausalConvolution({ weight, bias }: DepthwiseConvolution, x: Sym): Sym {
  const group = knownSize(weight.shape[0], "the number of channels");
  const kernel = knownSize(weight.shape[2], "a kernel");
  return conv(x, weight, bias, { group, pads: [kernel - 1, 0] });
}

/**
 * `shortCausalConvolution` one token at a time, as an FIR filter in transposed form. The carried state is the
 * contribution of the past tokens, and of the bias, to each of the next k − 1 outputs.
 */
export interface ConvolutionSteps {
  /** Initial state: k − 1 tensors [b, d]. */
  readonly start: readonly Sym[];
  /** Processes one token, x: [b, d]; `output` is [b, d]. */
  step(x: Sym, carried: readonly Sym[]): { readonly output: Sym; readonly carried: readonly Sym[] };
}

/** The steps of a convolution for a batch of this size. */
export function convolutionSteps({ weight, bias }: DepthwiseConvolution, batch: Dim): ConvolutionSteps {
  const channels = knownSize(weight.shape[0], "the number of channels");
  const kernel = knownSize(weight.shape[2], "a kernel");
  // taps[i], [d], multiplies the token i steps back
  const taps = Array.from({ length: kernel }, (_, i) =>
    reshape(slice(weight, 2, kernel - 1 - i, kernel - i), [channels]),
  );
  const initial = bias ?? fill([channels], 0);
  return {
    start: taps.slice(1).map(() => expand(initial, [batch, channels])),
    step(x, carried) {
      const [output, ...next] = taps.map((tap, i) => add(mul(x, tap), carried[i] ?? initial));
      return { output, carried: next };
    },
  };
}
