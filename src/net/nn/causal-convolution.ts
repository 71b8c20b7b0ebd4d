import { conv } from "../graph/build.ts";
import { knownSize } from "../graph/dim.ts";
import type { Sym } from "../graph/sym.ts";

export interface DepthwiseConvolution {
  /** [channels, 1, kernel] */
  readonly weight: Sym;
  /** [channels] */
  readonly bias?: Sym | undefined;
}

/** Short causal convolution, one kernel per channel: position t sees t − kernel + 1 … t.  x: [b, d, t] → [b, d, t] */
export function shortCausalConvolution({ weight, bias }: DepthwiseConvolution, x: Sym): Sym {
  const group = knownSize(weight.shape[0]!, "the number of channels");
  const kernel = knownSize(weight.shape[2]!, "a kernel");
  return conv(x, weight, bias, { group, pads: [kernel - 1, 0] });
}
