import { add, reduceMean, relu } from "../../net/graph/build.ts";
import { knownSize } from "../../net/graph/dim.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { type Convolution, centre, convolutionLast } from "../../net/nn/convolution-last.ts";
import type { FreshLayers, WithBias } from "../../net/nn/init.ts";
import { type Linear, linear } from "../../net/nn/linear.ts";
import { convolutionWithPosition, FIRST_LAYERS, type Position, position } from "./probing-head-like.ts";

// axes: b batch · l bases · c = 512 channels

const CHANNELS = 512;
const FIRST_KERNEL = 21;
const BLOCKS = 7;

export interface ChrombpnetLike {
  readonly first: WithBias<Convolution>;
  readonly position: Position;
  readonly dilated: readonly Convolution[];
  readonly output: Linear;
}

/** Names of the layers in the original's state dicts, by ours. */
export const CHROMBPNET_LIKE_LAYERS: Readonly<Record<string, string>> = {
  ...FIRST_LAYERS,
  ...Object.fromEntries(Array.from({ length: BLOCKS }, (_, i) => [`dilated.${i}`, `rconvs.${i}`])),
  output: "output_layer",
};

/** Declares the layers of a network for sequences of `length` bases, at least 275. */
export function chrombpnetLike(
  layers: FreshLayers,
  { length, outputs }: { readonly length: number; readonly outputs: number },
): ChrombpnetLike {
  return {
    first: layers.convolution("first", 4, CHANNELS, FIRST_KERNEL),
    position: position(layers, length - FIRST_KERNEL + 1, CHANNELS),
    dilated: Array.from({ length: BLOCKS }, (_, i) =>
      layers.convolution(`dilated.${i}`, CHANNELS, CHANNELS, 3),
    ),
    output: layers.linear("output", CHANNELS, outputs),
  };
}

/**
 * DART-Eval's classifier in the manner of ChromBPNet (Pampari et al. 2024): a wide convolution, residual blocks whose
 * convolutions reach 1, 2, 4, … bases, the mean over positions, a dense layer. Nothing is padded, so the length shrinks from
 * block to block.
 *
 * @param x  one-hot sequence [b, l, 4], channels A C G T, zeros where no base is known
 * @returns  [b, outputs]
 */
export function chrombpnetLikeLogits(net: ChrombpnetLike, x: Sym): Sym {
  const first = relu(convolutionWithPosition(net.first, net.position, x));
  const last = net.dilated.reduce((state, convolution, i) => {
    const y = relu(convolutionLast(convolution, state, { dilation: 2 ** i }));
    return add(centre(state, knownSize(y.shape[1]!, "a length")), y);
  }, first);
  return linear(net.output, reduceMean(last, [1]));
}
