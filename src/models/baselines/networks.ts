import { add, reduceMean, relu, swapLast } from "../../net/graph/build.ts";
import { knownSize } from "../../net/graph/dim.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { type Convolution, centre, convolution } from "../../net/nn/convolution.ts";
import { convolutionLast } from "../../net/nn/convolution-last.ts";
import { FreshLayers, type WithBias } from "../../net/nn/init.ts";
import { type Linear, linear } from "../../net/nn/linear.ts";
import type { Model, SequenceNetwork } from "../model.ts";
import {
  ORIGINAL_HEAD_LAYERS,
  type ProbingHead,
  probingHead,
  probingLogits,
} from "../training/probing-head.ts";

// axes: b batch · l bases · c = 256 channels

const CHANNELS = 256;
const FIRST_KERNEL = 41;
const KERNEL = 8;

export interface ProbingHeadLike {
  readonly first: WithBias<Convolution>;
  readonly position: Position;
  readonly head: ProbingHead;
}

/** Our names of the first layers → their names in the original's state dicts. */
const FIRST_LAYERS = {
  first: "iconv",
  "position.values": "pos_emb",
  "position.spread": "pos_proj",
} as const;

/** Our names of all layers → their names in the original's state dicts. */
const PROBING_HEAD_LIKE_LAYERS: Readonly<Record<string, string>> = {
  ...FIRST_LAYERS,
  ...Object.fromEntries(Object.entries(ORIGINAL_HEAD_LAYERS).map(([own, name]) => [own, `trunk.${name}`])),
};

/** Learned position embedding: one value per position, which a dense layer projects to all channels. */
export interface Position {
  /** [l, 1], initially zeros */
  readonly values: Sym;
  readonly spread: WithBias<Linear>;
}

/** Declares the layers of a network for sequences of `length` bases. */
export function probingHeadLike(
  layers: FreshLayers,
  { length, outputs }: { readonly length: number; readonly outputs: number },
): ProbingHeadLike {
  return {
    first: layers.convolution("first", 4, CHANNELS, FIRST_KERNEL),
    position: position(layers, length, CHANNELS),
    head: probingHead(layers, { width: CHANNELS, kernel: KERNEL, outputs }),
  };
}

function position(layers: FreshLayers, length: number, channels: number): Position {
  return {
    values: layers.zeros("position.values", [length, 1]),
    spread: layers.linear("position.spread", 1, channels),
  };
}

/**
 * DART-Eval's probing-head-like network: the probing head on a wide convolution of the sequence.
 *
 * @param x  one-hot sequence [b, l, 4], channels A C G T, zeros for an unknown base
 * @returns  [b, outputs]
 */
export function probingHeadLikeLogits({ first, position: at, head }: ProbingHeadLike, x: Sym): Sym {
  const length = knownSize(at.values.shape[0], "the length of the convolution");
  const half = (FIRST_KERNEL - 1) / 2;
  const scores = convolutionLast({ weight: first.weight }, x, { pads: [half, half] });
  const embedding = relu(add(scores, offsets(first.bias, at)));
  return probingLogits(head, embedding, { kind: "slice", length });
}

/**
 * Sum of position embedding and bias of the convolution to which it is added: [l, c]. Adding the bias here
 * keeps its gradient from summing over all sequences and positions.
 */
const offsets = (bias: Sym, { values, spread }: Position): Sym => add(linear(spread, values), bias);

// axes: b batch · l bases · c = 512 channels

const CHROMBPNET_LIKE_CHANNELS = 512;
const CHROMBPNET_LIKE_FIRST_KERNEL = 21;
const BLOCKS = 7;

export interface ChrombpnetLike {
  readonly first: WithBias<Convolution>;
  readonly position: Position;
  readonly dilated: readonly Convolution[];
  readonly output: Linear;
}

/** Our names of the layers → their names in the original's state dicts. */
const CHROMBPNET_LIKE_LAYERS: Readonly<Record<string, string>> = {
  ...FIRST_LAYERS,
  ...Object.fromEntries(Array.from({ length: BLOCKS }, (_, i) => [`dilated.${i}`, `rconvs.${i}`])),
  output: "output_layer",
};

/** Declares the layers of a network for sequences of `length` bases, at least 275. */
export function chrombpnetLike(
  layers: FreshLayers,
  { length, outputs, channels = CHROMBPNET_LIKE_CHANNELS }: ChrombpnetLikeSizes,
): ChrombpnetLike {
  return {
    first: layers.convolution("first", 4, channels, CHROMBPNET_LIKE_FIRST_KERNEL),
    position: position(layers, length - CHROMBPNET_LIKE_FIRST_KERNEL + 1, channels),
    dilated: Array.from({ length: BLOCKS }, (_, i) =>
      layers.convolution(`dilated.${i}`, channels, channels, 3),
    ),
    output: layers.linear("output", channels, outputs),
  };
}

interface ChrombpnetLikeSizes {
  readonly length: number;
  readonly outputs: number;
  /** 512 in DART-Eval and by default. */
  readonly channels?: number;
}

/**
 * DART-Eval's ChromBPNet-like network (Pampari et al. 2024): a wide convolution, residual blocks with
 * dilations of 1, 2, 4, … bases, the mean over positions, a dense layer. Nothing is padded, so the length
 * decreases from block to block.
 *
 * @param x  one-hot sequence [b, l, 4], channels A C G T, zeros for an unknown base
 * @returns  [b, outputs]
 */
export function chrombpnetLikeLogits(net: ChrombpnetLike, x: Sym): Sym {
  const scores = convolution({ weight: net.first.weight }, swapLast(x)); // [b, c, l]
  const first = relu(add(scores, swapLast(offsets(net.first.bias, net.position))));
  const last = net.dilated.reduce((state, layer, i) => {
    const y = relu(convolution(layer, state, { dilation: 2 ** i }));
    return add(centre(state, knownSize(y.shape[2], "a length")), y);
  }, first);
  return linear(net.output, reduceMean(last, [2]));
}

const probingHeadLikeNetwork: SequenceNetwork = {
  shortest: 9,
  build(sizes) {
    const layers = new FreshLayers();
    const net = probingHeadLike(layers, sizes);
    const { tensors } = layers;
    return {
      tensors,
      originalLayers: PROBING_HEAD_LIKE_LAYERS,
      logits: (x) => probingHeadLikeLogits(net, x),
    };
  },
};

const chrombpnetLikeNetwork: SequenceNetwork = {
  shortest: 275,
  build(sizes) {
    const layers = new FreshLayers();
    const net = chrombpnetLike(layers, sizes);
    const { tensors } = layers;
    return { tensors, originalLayers: CHROMBPNET_LIKE_LAYERS, logits: (x) => chrombpnetLikeLogits(net, x) };
  },
};

/** Untrained networks for the setting ab-initio, as models. */
export const NETWORKS: readonly (Model & Required<Pick<Model, "network" | "family" | "identity">>)[] = [
  network("probing-head-like", probingHeadLikeNetwork),
  network("chrombpnet-like", chrombpnetLikeNetwork),
];

function network(name: string, net: SequenceNetwork) {
  return { name, family: name, identity: `${name} network version 1`, network: net };
}
