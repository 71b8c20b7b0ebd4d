import { concat, expand, fill, gemm, pad, reshape, transpose, unfold } from "../graph/build.ts";
import { type Dim, knownSize, multiplyDims } from "../graph/dim.ts";
import type { Sym } from "../graph/sym.ts";
import type { Convolution } from "./convolution.ts";
import { linear } from "./linear.ts";

// axes: b batch · l length · c channels in · o channels out · k kernel

export interface ConvolutionOptions {
  /** Zeros before and after the length. */
  readonly pads?: readonly [number, number];
}

/**
 * Cross-correlation along the length with channels last: y[b, t] = bias + Σ_j W[:, :, j] · x[b, t + j −
 * pads[0]].
 *
 * One pass gathers the windows and one matrix product does the rest, so the forward pass and both gradients
 * run at the speed of matrix products. A kernel of 1 is a product alone: padding adds rows equal to the bias
 * there, so x is not copied.
 *
 * @param x  [b, l, c], l known
 * @returns  [b, l + pads − (k − 1), o]
 */
export function convolutionLast(
  { weight, bias }: Convolution,
  x: Sym,
  { pads = [0, 0] }: ConvolutionOptions = {},
): Sym {
  const [out, channels, kernel] = weight.shape.map((size) => knownSize(size, "a kernel")) as [
    number,
    number,
    number,
  ];
  if (kernel === 1) {
    const y = linear({ weight: reshape(weight, [out, channels]), bias }, x);
    return padWithRow(y, bias ?? zeroRow(out), pads);
  }
  const length = knownSize(x.shape[1], "the length of a convolution");
  const windows = length + pads[0] + pads[1] - (kernel - 1);
  const rows = rowsPerBlock(channels, windows);
  const blocks = windows / rows;
  const wide = Math.ceil((kernel + rows - 1) / rows); // blocks per window
  const missing = (blocks + wide - 1) * rows - (length + pads[0] + pads[1]);
  const padded = pad(x, 1, pads[0], pads[1] + (rows === 1 ? 0 : missing));
  const blocked = rows === 1 ? padded : reshape(padded, [x.shape[0], blocks + wide - 1, rows * channels]);
  const seen = unfold(blocked, wide);
  const flat = reshape(seen, [multiplyDims(x.shape[0], blocks), wide * rows * channels]);
  const matrix = kernelMatrix(weight, rows, wide);
  const biases = bias && reshape(expand(bias, [rows, out]), [rows * out]);
  const y = gemm(flat, matrix, biases, { transB: true });
  return reshape(y, [x.shape[0], windows, out]);
}

/**
 * With few channels, several rows are treated as one: a window is then a few large pieces instead of many
 * small ones, and serves all outputs of its first block. The kernel is repeated between zeros, shifted by one
 * row for each.
 */
function rowsPerBlock(channels: number, windows: number): number {
  for (let rows = 1; rows * channels <= 40; rows++) {
    if (rows * channels >= 16 && windows % rows === 0) return rows;
  }
  return 1;
}

/** The kernel as a matrix that multiplies windows: [rows · o, wide · rows · c], row (s, o) shifted by s. */
function kernelMatrix(weight: Sym, rows: number, wide: number): Sym {
  const [out, channels, kernel] = weight.shape as readonly [number, number, number];
  const taps = transpose(weight, [0, 2, 1]); // [o, k, c]
  const width = wide * rows;
  const shifted = Array.from({ length: rows }, (_, s) => pad(taps, 1, s, width - kernel - s));
  return reshape(concat(shifted, 0), [rows * out, width * channels]);
}

/** Pads y with copies of `row` before and after its length.  y: [b, l, o], row: [o] */
export function padWithRow(y: Sym, row: Sym, [before, after]: readonly [number, number]): Sym {
  const [batch, , out] = y.shape as readonly [Dim, Dim, Dim];
  const rows = (count: number) => (count === 0 ? [] : [expand(row, [batch, count, out])]);
  return concat([...rows(before), y, ...rows(after)], 1);
}

/** A row of zeros for `padWithRow`. */
export const zeroRow = (channels: number): Sym => fill([channels], 0);
