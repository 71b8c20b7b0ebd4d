import { add, matMul, pad, reduceSum, reshape, slice, transpose } from "../graph/build.ts";
import { knownSize, multiplyDims } from "../graph/dim.ts";
import type { Sym } from "../graph/sym.ts";
import type { Convolution } from "./convolution-last.ts";

// axes: b batch · l length · c channels · k kernel

/**
 * A convolution along the length with one output and a wide kernel: y[b, t] = bias + Σ_j w[:, j] · x[b, t + j].
 *
 * Every tap meets every position in one product [b, k, l], whose row j is needed from position j on. Rows that are one longer
 * than they were put these diagonals below each other, and their sum is the answer. Windows of x, k · c values for each
 * position, are never made: of a kernel of 75 over 512 channels that would be 75 copies of x.
 *
 * @param weight  [1, c, k]; @param bias  [1]
 * @param x       [b, l, c], l known
 * @returns       [b, l − k + 1]
 */
export function diagonalConvolution({ weight, bias }: Convolution, x: Sym): Sym {
  const [, channels, kernel] = weight.shape.map((size) => knownSize(size, "a kernel")) as [1, number, number];
  const [batch] = x.shape;
  const length = knownSize(x.shape[1]!, "the length of a convolution");
  const flat = reshape(x, [multiplyDims(batch!, length), channels]);
  const products = reshape(matMul(flat, reshape(weight, [channels, kernel])), [batch!, length, kernel]);
  const rows = reshape(transpose(products, [0, 2, 1]), [batch!, kernel * length]);
  const skewed = reshape(pad(rows, 1, 0, kernel), [batch!, kernel, length + 1]);
  const y = reduceSum(slice(skewed, 2, 0, length - kernel + 1), [1]);
  return bias === undefined ? y : add(y, bias);
}
