import { concat, expand, fill, gemm, pad, reshape, transpose, unfold } from "../graph/build.ts";
import { knownSize, multiplyDims } from "../graph/dim.ts";
import type { Sym } from "../graph/sym.ts";
import type { Convolution } from "./convolution.ts";
import { linear } from "./linear.ts";

// axes: b batch · l length · c channels in · o channels out · k kernel

export interface ConvolutionOptions {
  /** Numbers of zeros before the first and after the last position. */
  readonly pads?: readonly [number, number];
}

/**
 * PyTorch's `Conv1d` with channels last: y[b, t] = bias + Σ_j W[:, :, j] · x[b, t + j − pads[0]].
 *
 * One pass gathers the windows and one matrix product multiplies them by the kernel, so the forward pass and
 * both gradients run at the speed of matrix products. A kernel of 1 multiplies x itself and then pads the
 * output with rows that equal the bias.
 *
 * @param x  [b, l, c], l known
 * @returns  [b, l + pads[0] + pads[1] − (k − 1), o]
 */
export function convolutionLast(
  { weight, bias }: Convolution,
  x: Sym,
  { pads = [0, 0] }: ConvolutionOptions = {},
): Sym {
  const [out, channels, kernel] = weight.shape.map((size) => knownSize(size, "a kernel"));
  if (kernel === 1) {
    const y = linear({ weight: reshape(weight, [out, channels]), bias }, x);
    return padWithRow(y, bias ?? zeroRow(out), pads);
  }
  const length = knownSize(x.shape[1], "the length of a convolution");
  const windows = length + pads[0] + pads[1] - (kernel - 1);
  const rows = rowsPerBlock(channels, windows);
  const blocks = windows / rows;
  const windowBlocks = Math.ceil((kernel + rows - 1) / rows); // blocks that a window covers
  const allBlocks = blocks + windowBlocks - 1;
  const missing = allBlocks * rows - (length + pads[0] + pads[1]);
  const padded = pad(x, 1, pads[0], pads[1] + (rows === 1 ? 0 : missing));
  const blocked = rows === 1 ? padded : reshape(padded, [x.shape[0], allBlocks, rows * channels]);
  const unfolded = unfold(blocked, windowBlocks);
  const flat = reshape(unfolded, [multiplyDims(x.shape[0], blocks), windowBlocks * rows * channels]);
  const matrix = kernelMatrix(weight, rows, windowBlocks);
  const biases = bias && reshape(expand(bias, [rows, out]), [rows * out]);
  const y = gemm(flat, matrix, biases, { transB: true });
  return reshape(y, [x.shape[0], windows, out]);
}

/**
 * Number of positions per block. With few channels, a block of several positions is treated as one position
 * with that many times the channels: windows are then copied in fewer, larger pieces, and one window yields
 * the outputs of a whole block.
 */
function rowsPerBlock(channels: number, windows: number): number {
  for (let rows = 1; rows * channels <= 40; rows++) {
    if (rows * channels >= 16 && windows % rows === 0) return rows;
  }
  return 1;
}

/**
 * The kernel as a matrix that multiplies windows: row (s, o) contains the kernel of output o, shifted by s
 * positions between zeros.
 *
 * @returns [rows · o, windowBlocks · rows · c]
 */
function kernelMatrix(weight: Sym, rows: number, windowBlocks: number): Sym {
  const [out, channels, kernel] = weight.shape.map((size) => knownSize(size, "a kernel"));
  const taps = transpose(weight, [0, 2, 1]); // [o, k, c]
  const width = windowBlocks * rows;
  const shifted = Array.from({ length: rows }, (_, s) => pad(taps, 1, s, width - kernel - s));
  return reshape(concat(shifted, 0), [rows * out, width * channels]);
}

/** Pads y with copies of `row`.  y: [b, l, o], row: [o] → [b, before + l + after, o] */
export function padWithRow(y: Sym, row: Sym, [before, after]: readonly [number, number]): Sym {
  const [batch, , out] = y.shape;
  const rows = (count: number) => (count === 0 ? [] : [expand(row, [batch, count, out])]);
  return concat([...rows(before), y, ...rows(after)], 1);
}

/** A row of zeros for `padWithRow`. */
export const zeroRow = (channels: number): Sym => fill([channels], 0);
