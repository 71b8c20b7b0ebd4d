import { InputError } from "../../base/errors.ts";
import { add, parameter, reduceMean, relu, reshape, softplus, sub } from "../../net/graph/build.ts";
import type { Sym } from "../../net/graph/sym.ts";
import {
  type Convolution,
  centre,
  convolutionLast,
  diagonalConvolution,
} from "../../net/nn/convolution-last.ts";
import type { FreshTensor, WithBias } from "../../net/nn/init.ts";
import { type Linear, linear } from "../../net/nn/linear.ts";

// axes: b batch · l bases read · t bases predicted · c filters · k kernel

/** Sizes of one BPNet. */
export interface BpnetSizes {
  /** Bases it reads. */
  readonly inputLength: number;
  /** Bases in the middle of them whose signal it predicts. */
  readonly outputLength: number;
  readonly filters: number;
  /** Residual convolutions of kernel 3; the i-th, from 1 on, reaches 2ⁱ bases. */
  readonly dilatedLayers: number;
  readonly firstKernel: number;
  readonly profileKernel: number;
}

/** The published network of accessibility, and the smaller one of the enzyme's bias (Pampari et al. 2024). */
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
  /** All parameters of the graph, with how they begin. */
  readonly tensors: readonly FreshTensor[];
}

/** What a network says of each sequence. */
export interface ProfileAndCounts {
  /** [b, t]; their softmax is where the reads of the window lie. */
  readonly logits: Sym;
  /** [b]: predicted ln(1 + reads in the window). */
  readonly logCounts: Sym;
}

/**
 * Declares a network. Its parameters are called `NAME.first.weight`, `NAME.dilated.0.bias` and so on, weights of
 * convolutions [out, in, kernel].
 *
 * @throws {InputError} when the sizes leave no room for the window that is predicted, or it would not lie in the middle
 */
export function bpnet(name: string, sizes: BpnetSizes): Bpnet {
  checkSizes(sizes);
  const tensors: FreshTensor[] = [];
  const tensor = (fresh: FreshTensor): Sym => {
    tensors.push(fresh);
    return parameter(fresh.name, fresh.shape);
  };
  // Keras' defaults: kernels even in ±√(6 / (fan in + fan out)) (Glorot & Bengio 2010), biases zero.
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
 * BPNet as ChromBPNet has it: a wide convolution, residual blocks whose convolutions reach 2, 4, 8, … bases, and two heads: a
 * wide convolution for the shape of the signal, the mean over positions for its sum. Nothing is padded, so what is added
 * in a block is cut to the middle.
 *
 * @param x  one-hot sequence [b, l, 4], channels A C G T, zeros where no base is known
 * @see Pampari et al. 2024, doi:10.1101/2024.12.25.630221; Avsec et al. 2021, doi:10.1038/s41588-021-00782-6
 */
export function bpnetOutputs({ sizes, first, dilated, profile, counts }: Bpnet, x: Sym): ProfileAndCounts {
  let state = relu(convolutionLast(first, x));
  dilated.forEach((convolution, i) => {
    const y = relu(convolutionLast(convolution, state, { dilation: 2 ** (i + 1) }));
    state = add(y, centre(state, y.shape[1] as number));
  });
  const seen = centre(state, sizes.outputLength + sizes.profileKernel - 1);
  const logCounts = linear(counts, reduceMean(state, [1]));
  return { logits: diagonalConvolution(profile, seen), logCounts: reshape(logCounts, [x.shape[0]]) };
}

/** Positions that are left after the convolutions, before the heads. */
export const lengthOfStates = ({ inputLength, firstKernel, dilatedLayers }: BpnetSizes) =>
  inputLength - (firstKernel - 1) - 2 * (2 ** (dilatedLayers + 1) - 2);

function checkSizes(sizes: BpnetSizes): void {
  const spare = lengthOfStates(sizes) - (sizes.profileKernel - 1) - sizes.outputLength;
  if (spare < 0 || spare % 2 !== 0 || sizes.outputLength < 1) {
    throw new InputError(
      `${sizes.inputLength} bases with ${sizes.dilatedLayers} dilated layers leave ${spare + sizes.outputLength} positions of a profile; ` +
        `${sizes.outputLength}, or an even number more, are needed`,
      { hint: "2,114 bases, 8 dilated layers and a window of 1,000 bases fit, as published" },
    );
  }
}

/**
 * Accessibility and the enzyme's bias as one prediction: the logits of the profiles are added, so the probabilities multiply;
 * of the counts the exponentials are added: ln(eᵃ + eᵇ), computed as a + ln(1 + eᵇ⁻ᵃ).
 *
 * @see Pampari et al. 2024, doi:10.1101/2024.12.25.630221
 */
export function withBias(accessibility: ProfileAndCounts, bias: ProfileAndCounts): ProfileAndCounts {
  return {
    logits: add(accessibility.logits, bias.logits),
    logCounts: add(accessibility.logCounts, softplus(sub(bias.logCounts, accessibility.logCounts))),
  };
}
