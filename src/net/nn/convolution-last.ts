import {
  add,
  concat,
  expand,
  fill,
  gemm,
  matMul,
  pad,
  reduceSum,
  reshape,
  slice,
  transpose,
  unfold,
} from "../graph/build.ts";
import { type Dim, knownSize, multiplyDims } from "../graph/dim.ts";
import type { Sym } from "../graph/sym.ts";
import { linear } from "./linear.ts";

// axes: b batch · l length · c channels in · o channels out · k kernel

/** A convolution along the length, with weights as PyTorch stores them. */
export interface Convolution {
  /** [o, c, k] */
  readonly weight: Sym;
  /** [o]; zeros if absent */
  readonly bias?: Sym | undefined;
}

export interface ConvolutionOptions {
  /** Zeros before and after the length. */
  readonly pads?: readonly [number, number];
  readonly dilation?: number;
}

/**
 * Cross-correlation along the length with channels last: y[b, t] = bias + Σ_j W[:, :, j] · x[b, t + dilation
 * · j − pads[0]].
 *
 * One pass gathers the windows and one matrix product does the rest, so the forward pass and both gradients
 * run at the speed of matrix products. A kernel of 1 is a product alone: padding adds rows equal to the bias
 * there, so x is not copied.
 *
 * @param x  [b, l, c], l known
 * @returns  [b, l + pads − dilation · (k − 1), o]
 */
export function convolutionLast(
  { weight, bias }: Convolution,
  x: Sym,
  { pads = [0, 0], dilation = 1 }: ConvolutionOptions = {},
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
  const windows = length + pads[0] + pads[1] - dilation * (kernel - 1);
  const rows = dilation === 1 ? rowsPerBlock(channels, windows) : 1;
  const blocks = windows / rows;
  const wide = Math.ceil((kernel + rows - 1) / rows); // blocks per window
  const missing = (blocks + wide - 1) * rows - (length + pads[0] + pads[1]);
  const padded = pad(x, 1, pads[0], pads[1] + (rows === 1 ? 0 : missing));
  const blocked = rows === 1 ? padded : reshape(padded, [x.shape[0], blocks + wide - 1, rows * channels]);
  const seen = unfold(blocked, wide, dilation);
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

/** Crops x to its central `length` rows; of an odd number of rows, one more is cut at the end. */
export function centre(x: Sym, length: number): Sym {
  const cut = Math.floor((knownSize(x.shape[1], "a length") - length) / 2);
  return slice(x, 1, cut, cut + length);
}

/** A row of zeros for `padWithRow`. */
export const zeroRow = (channels: number): Sym => fill([channels], 0);

// axes: b batch · l length · c channels · k kernel

/**
 * A convolution along the length with one output and a wide kernel: y[b, t] = bias + Σ_j w[:, j] · x[b, t +
 * j].
 *
 * One product [b, k, l] multiplies every tap with every position; its row j is needed from position j on.
 * Reshaping the rows to length l + 1 aligns these diagonals in columns, whose sum is the output. Windows of
 * x, k · c values per position, are never built: for a kernel of 75 over 512 channels they would be 75 copies
 * of x.
 *
 * @param weight  [1, c, k]
 * @param bias    [1]
 * @param x       [b, l, c], l known
 * @returns       [b, l − k + 1]
 */
export function diagonalConvolution({ weight, bias }: Convolution, x: Sym): Sym {
  const [, channels, kernel] = weight.shape.map((size) => knownSize(size, "a kernel")) as [1, number, number];
  const [batch] = x.shape;
  const length = knownSize(x.shape[1], "the length of a convolution");
  const flat = reshape(x, [multiplyDims(batch!, length), channels]);
  const products = reshape(matMul(flat, reshape(weight, [channels, kernel])), [batch!, length, kernel]);
  const rows = reshape(transpose(products, [0, 2, 1]), [batch!, kernel * length]);
  const skewed = reshape(pad(rows, 1, 0, kernel), [batch!, kernel, length + 1]);
  const y = reduceSum(slice(skewed, 2, 0, length - kernel + 1), [1]);
  return bias === undefined ? y : add(y, bias);
}
