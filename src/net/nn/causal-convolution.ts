import { add, conv, expand, fill, mul, reshape, slice } from "../graph/build.ts";
import { type Dim, knownSize } from "../graph/dim.ts";
import type { Sym } from "../graph/sym.ts";

export interface DepthwiseConvolution {
  /** [channels, 1, kernel] */
  readonly weight: Sym;
  /** [channels] */
  readonly bias?: Sym | undefined;
}

/**
 * Short causal convolution, one kernel per channel: position t depends on t − kernel + 1 … t.  x: [b, d, t] →
 * [b, d, t]
 */
export function shortCausalConvolution({ weight, bias }: DepthwiseConvolution, x: Sym): Sym {
  const group = knownSize(weight.shape[0], "the number of channels");
  const kernel = knownSize(weight.shape[2], "a kernel");
  return conv(x, weight, bias, { group, pads: [kernel - 1, 0] });
}

// axes: b rows · d channels

/**
 * A short causal convolution computed one token at a time, in the transposed form of FIR filters: the state
 * carried between steps is the contribution of the tokens so far, and of the bias, to each of the next kernel
 * − 1 outputs. Each step computes all of its state anew and moves none.
 */
export interface ConvolutionSteps {
  /** Initial state: kernel − 1 tensors [b, d]. */
  readonly start: readonly Sym[];
  /** Processes one token, x: [b, d]. */
  step(x: Sym, carried: readonly Sym[]): { readonly output: Sym; readonly carried: readonly Sym[] };
}

export function convolutionSteps({ weight, bias }: DepthwiseConvolution, batch: Dim): ConvolutionSteps {
  const channels = knownSize(weight.shape[0], "the number of channels");
  const kernel = knownSize(weight.shape[2], "a kernel");
  // tap i multiplies the token i steps back
  const taps = Array.from({ length: kernel }, (_, i) =>
    reshape(slice(weight, 2, kernel - 1 - i, kernel - i), [channels]),
  );
  const rest = bias ?? fill([channels], 0);
  return {
    start: taps.slice(1).map(() => expand(rest, [batch, channels])),
    step(x, carried) {
      const [output, ...next] = taps.map((tap, i) => add(mul(x, tap), carried[i] ?? rest));
      return { output: output!, carried: next };
    },
  };
}
