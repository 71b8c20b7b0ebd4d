import {
  add,
  concat,
  conv,
  expand,
  fill,
  matMul,
  mul,
  pad,
  reduceSum,
  reshape,
  slice,
  split,
  sub,
  transpose,
} from "../graph/build.ts";
import { type Dim, knownSize } from "../graph/dim.ts";
import { GraphError } from "../graph/graph-error.ts";
import type { Sym } from "../graph/sym.ts";

// axes: b batch · c channels in · l length · o channels out · k kernel · d dilation

/** A convolution along the length, with weights as PyTorch stores them. */
export interface Convolution {
  /** [o, c, k] */
  readonly weight: Sym;
  /** [o]; zeros if absent */
  readonly bias?: Sym | undefined;
}

/**
 * PyTorch's `Conv1d` without padding: y[b, :, t] = bias + Σ_j W[:, :, j] · x[b, :, t + dilation · j].
 *
 * The shifted inputs of a sequence, stacked along the channels, are multiplied by the kernel as a matrix.
 * With hundreds of channels this is faster than `convolutionLast`, because the product of one sequence fits
 * into the CPU cache and that of all sequences does not. A kernel of 3 over many channels uses Winograd's
 * algorithm.
 *
 * @param x  [b, c, l], l known
 * @returns  [b, o, l − dilation · (k − 1)]
 * @throws {GraphError} when the kernel is wider than the length
 */
export function convolution({ weight, bias }: Convolution, x: Sym, { dilation = 1 } = {}): Sym {
  const [out, channels, kernel] = weight.shape.map((size) => knownSize(size, "a kernel"));
  const length = knownSize(x.shape[2], "the length of a convolution");
  const windows = length - dilation * (kernel - 1);
  if (windows < 1) {
    throw new GraphError(
      `no window of ${kernel} positions, ${dilation} apart, fits into a length of ${length}`,
    );
  }
  const wide = Math.min(channels, out) >= WINOGRAD_CHANNELS;
  if (kernel === 3 && wide && winogradShare(windows, dilation) <= WINOGRAD_SHARE) {
    return winogradConvolution({ weight, bias }, x, dilation);
  }
  const shifted = Array.from({ length: kernel }, (_, j) => slice(x, 2, j * dilation, j * dilation + windows));
  const matrix = reshape(transpose(weight, [0, 2, 1]), [out, kernel * channels]);
  const y = matMul(matrix, concat(shifted, 1));
  return bias === undefined ? y : add(y, reshape(bias, [out, 1]));
}

/**
 * Minimum number of channels: with fewer, Winograd's additions take as long as the products that it saves.
 */
const WINOGRAD_CHANNELS = 128;
/** Maximum number of Winograd's products, as a fraction of those of a plain convolution. */
const WINOGRAD_SHARE = 0.85;

/**
 * Convolution with kernel 3 by Winograd's minimal filtering F(2, 3): two outputs that are one dilation apart
 * take four products instead of six.
 *
 *     y[t]     = m₀ + m₁ + m₂        m₀ = w₀·(x[t] − x[t + 2d])
 *     y[t + d] = m₁ − m₂ + m₃        m₁ = ½(w₀ + w₁ + w₂)·(x[t + d] + x[t + 2d])
 *                                    m₂ = ½(w₀ − w₁ + w₂)·(x[t + 2d] − x[t + d])
 *                                    m₃ = w₂·(x[t + 3d] − x[t + d])
 *
 * Even and odd blocks of d positions form two sequences of half the length, on which each mᵢ is a matrix
 * product. The gradients of this form save the same fraction of products.
 *
 * @param x  [b, c, l], l known
 * @returns  [b, o, l − 2d]
 * @see Lavin & Gray 2016, arXiv:1509.09308, eq. 5
 */
function winogradConvolution({ weight, bias }: Convolution, x: Sym, dilation: number): Sym {
  const [out, channels] = weight.shape.map((size) => knownSize(size, "a kernel"));
  const [batch] = x.shape;
  const length = knownSize(x.shape[2], "the length of a convolution");
  const windows = length - 2 * dilation;
  const blocks = blocksOf(windows, dilation);
  const padded = pad(x, 2, 0, 2 * dilation * (blocks + 1) - length);
  const halves = split(reshape(padded, [batch, channels, blocks + 1, 2, dilation]), 3, [1, 1]);
  const [even, odd] = halves.map((half) => reshape(half, [batch, channels, (blocks + 1) * dilation]));
  const from = (half: Sym, block: number) => slice(half, 2, block * dilation, (block + blocks) * dilation);
  const [x0, x1, x2, x3] = [from(even, 0), from(odd, 0), from(even, 1), from(odd, 1)];
  const [w0, w1, w2] = split(transpose(weight, [2, 0, 1]), 0, [1, 1, 1]).map((tap) =>
    reshape(tap, [out, channels]),
  );
  const [ends, middle] = [mul(add(w0, w2), 0.5), mul(w1, 0.5)];
  const m0 = matMul(w0, sub(x0, x2));
  const m1 = matMul(add(ends, middle), add(x1, x2));
  const m2 = matMul(sub(ends, middle), sub(x2, x1));
  const m3 = matMul(w2, sub(x3, x1));
  const shared = bias === undefined ? m1 : add(m1, reshape(bias, [out, 1]));
  const pair = [add(add(m0, shared), m2), add(sub(shared, m2), m3)];
  const joined = concat(
    pair.map((y) => reshape(y, [batch, out, blocks, 1, dilation])),
    3,
  );
  return slice(reshape(joined, [batch, out, 2 * blocks * dilation]), 2, 0, windows);
}

/** Number of blocks of 2·d positions that cover the windows. */
const blocksOf = (windows: number, dilation: number) => Math.ceil(windows / (2 * dilation));

/**
 * Number of products of `winogradConvolution` as a fraction of those of a plain convolution: 2/3, and more if
 * the last block is padded.
 */
const winogradShare = (windows: number, dilation: number) =>
  (4 * blocksOf(windows, dilation) * dilation) / (3 * windows);

/**
 * A convolution with one output channel and a wide kernel: y[b, t] = bias + Σ_j w[:, j] · x[b, :, t + j].
 *
 * One matrix product p[b, j, t] = w[:, j] · x[b, :, t] multiplies every tap with every position, and y[b, t]
 * is the sum of its diagonal p[b, j, t + j]. Reshaping the rows to length l + 1 aligns the diagonals as
 * columns. Unlike `convolution`, this needs no k shifted copies of x.
 *
 * @param weight  [1, c, k]
 * @param bias    [1]
 * @param x       [b, c, l], l known
 * @returns       [b, l − k + 1]
 */
export function diagonalConvolution({ weight, bias }: Convolution, x: Sym): Sym {
  const [, channels, kernel] = weight.shape.map((size) => knownSize(size, "a kernel"));
  const [batch] = x.shape;
  const length = knownSize(x.shape[2], "the length of a convolution");
  const products = matMul(transpose(reshape(weight, [channels, kernel]), [1, 0]), x); // [b, k, l]
  const rows = reshape(products, [batch, kernel * length]);
  const skewed = reshape(pad(rows, 1, 0, kernel), [batch, kernel, length + 1]);
  const y = reduceSum(slice(skewed, 2, 0, length - kernel + 1), [1]);
  return bias === undefined ? y : add(y, bias);
}

/**
 * Crops x to its central `length` positions. If an odd number of positions is cut, one more is cut at the
 * end.
 *
 * @param x  [b, c, l], l known
 * @returns  [b, c, length]
 */
export function centre(x: Sym, length: number): Sym {
  const cut = Math.floor((knownSize(x.shape[2], "a length") - length) / 2);
  return slice(x, 2, cut, cut + length);
}

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
