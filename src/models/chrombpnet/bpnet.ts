import { InputError } from "../../base/errors.ts";
import { add, parameter, reduceMean, relu, reshape, softplus, sub, swapLast } from "../../net/graph/build.ts";
import { knownSize } from "../../net/graph/dim.ts";
import type { Sym } from "../../net/graph/sym.ts";
import { type Convolution, centre, convolution, diagonalConvolution } from "../../net/nn/convolution.ts";
import type { FreshTensor, WithBias } from "../../net/nn/init.ts";
import { type Linear, linear } from "../../net/nn/linear.ts";

// axes: b batch · l bases read · t bases predicted · c filters · k kernel

/** Sizes of a BPNet. */
export interface BpnetSizes {
  /** Bases of the input. */
  readonly inputLength: number;
  /** Bases in the centre of the input whose signal is predicted. */
  readonly outputLength: number;
  readonly filters: number;
  /** Residual convolutions with kernel 3; the i-th, from 1 on, has dilation 2ⁱ. */
  readonly dilatedLayers: number;
  readonly firstKernel: number;
  readonly profileKernel: number;
}

/** The published accessibility network and the smaller bias network (Pampari et al. 2024). */
export const ACCESSIBILITY_SIZES: BpnetSizes = {
  inputLength: 2114,
  outputLength: 1000,
  filters: 512,
  dilatedLayers: 8,
  firstKernel: 21,
  profileKernel: 75,
};
export const BIAS_SIZES: BpnetSizes = { ...ACCESSIBILITY_SIZES, filters: 128, dilatedLayers: 4 };

export interface Bpnet {
  readonly sizes: BpnetSizes;
  readonly first: WithBias<Convolution>;
  readonly dilated: readonly WithBias<Convolution>[];
  readonly profile: WithBias<Convolution>;
  readonly counts: WithBias<Linear>;
  /** Parameters of the graph, with their initialisation. */
  readonly tensors: readonly FreshTensor[];
}

/** Outputs of a network. */
export interface ProfileAndCounts {
  /** [b, t]: their softmax is the distribution of reads over the window. */
  readonly logits: Sym;
  /** [b]: predicted ln(1 + reads in the window). */
  readonly logCounts: Sym;
}

/**
 * Declares a network. Its parameters are called `NAME.first.weight`, `NAME.dilated.0.bias` and so on, weights
 * of convolutions [out, in, kernel].
 *
 * @throws {InputError} when the sizes leave no room for the predicted window, or it would not be centred
 */
export function bpnet(name: string, sizes: BpnetSizes): Bpnet {
  checkSizes(sizes);
  const tensors: FreshTensor[] = [];
  const tensor = (fresh: FreshTensor): Sym => {
    tensors.push(fresh);
    return parameter(fresh.name, fresh.shape);
  };
  // Keras defaults: kernels uniform in ±√(6 / (fan in + fan out)) (Glorot & Bengio 2010), biases zero.
  const layer = (at: string, out: number, channels: number, kernel?: number) => {
    const taps = kernel ?? 1;
    const shape = kernel === undefined ? [out, channels] : [out, channels, kernel];
    return {
      weight: tensor({ name: `${name}.${at}.weight`, shape, fanIn: (taps * (channels + out)) / 6 }),
      bias: tensor({ name: `${name}.${at}.bias`, shape: [out], fanIn: Number.POSITIVE_INFINITY }),
    };
  };
  const { filters, dilatedLayers, firstKernel, profileKernel } = sizes;
  return {
    sizes,
    first: layer("first", filters, 4, firstKernel),
    dilated: Array.from({ length: dilatedLayers }, (_, i) => layer(`dilated.${i}`, filters, filters, 3)),
    profile: layer("profile", 1, filters, profileKernel),
    counts: layer("counts", 1, filters),
    tensors,
  };
}

/**
 * BPNet as in ChromBPNet: a wide convolution, residual blocks with dilations of 2, 4, 8, … bases, and two
 * heads: a wide convolution for the profile, and a dense layer on the mean over positions for the counts.
 * Convolutions are not padded, and the skip connection of a block is cropped to its central positions.
 *
 * @param x  one-hot sequence [b, l, 4], channels A C G T, zeros for an unknown base
 * @see Pampari et al. 2024, doi:10.1101/2024.12.25.630221; Avsec et al. 2021, doi:10.1038/s41588-021-00782-6
 */
export function bpnetOutputs({ sizes, first, dilated, profile, counts }: Bpnet, x: Sym): ProfileAndCounts {
  let state = relu(convolution(first, swapLast(x))); // [b, c, ·]: shorter after each convolution
  dilated.forEach((layer, i) => {
    const y = relu(convolution(layer, state, { dilation: 2 ** (i + 1) }));
    state = add(y, centre(state, knownSize(y.shape[2], "a length")));
  });
  const profileInput = centre(state, sizes.outputLength + sizes.profileKernel - 1);
  const logCounts = linear(counts, reduceMean(state, [2]));
  return { logits: diagonalConvolution(profile, profileInput), logCounts: reshape(logCounts, [x.shape[0]]) };
}

/** Number of positions after the dilated convolutions, before the heads. */
export const lengthOfStates = ({ inputLength, firstKernel, dilatedLayers }: BpnetSizes) =>
  inputLength - (firstKernel - 1) - 2 * (2 ** (dilatedLayers + 1) - 2);

function checkSizes(sizes: BpnetSizes): void {
  const spare = lengthOfStates(sizes) - (sizes.profileKernel - 1) - sizes.outputLength;
  if (spare < 0 || spare % 2 !== 0 || sizes.outputLength < 1) {
    throw new InputError(
      `${sizes.inputLength} bases with ${sizes.dilatedLayers} dilated layers leave a profile of ${spare + sizes.outputLength} positions; ` +
        `expected ${sizes.outputLength} or an even number more`,
      { hint: "the published sizes are 2,114 bases, 8 dilated layers and a window of 1,000 bases" },
    );
  }
}

/**
 * Combined prediction of accessibility and enzyme bias: the sum of the profile logits, and ln(eᵃ + eᵇ) = a +
 * ln(1 + eᵇ⁻ᵃ) of the log counts a and b.
 *
 * @see Pampari et al. 2024, doi:10.1101/2024.12.25.630221
 */
export function withBias(accessibility: ProfileAndCounts, bias: ProfileAndCounts): ProfileAndCounts {
  return {
    logits: add(accessibility.logits, bias.logits),
    logCounts: add(accessibility.logCounts, softplus(sub(bias.logCounts, accessibility.logCounts))),
  };
}
