import { concat, conv, expand, fill, flip, matMul, pad, reshape, slice, transpose } from "../graph/build.ts";
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

/** Rows of the Toeplitz matrix multiplied at once: smaller blocks skip more zeros, larger ones multiply faster. */
const BLOCK = 64;

/**
 * Long causal convolution, one kernel per channel: y[b, d, t] = Σ_{τ ≤ t} k[τ, d] · x[b, d, t − τ].
 *
 * Evaluated as a lower-triangular Toeplitz product, block row by block row; what lies above the diagonal blocks is left
 * out. Exact, and at the lengths of this benchmark faster than a Fourier transform or a depthwise `Conv`.
 *
 * @param x       [b, d, t], t known
 * @param kernel  [t, d]
 * @returns       [b, d, t]
 */
export function longCausalConvolution(x: Sym, kernel: Sym): Sym {
  const length = knownSize(x.shape[2]!, "the length of a long convolution");
  const block = Math.min(BLOCK, length);
  const rows = Math.ceil(length / block);
  const strip = lastBlockRow(kernel, rows, block); // [d, block, rows · block]
  const signal = transpose(x, [1, 2, 0]); // [d, t, b]
  const parts = Array.from({ length: rows }, (_, row) => {
    const seen = Math.min((row + 1) * block, length);
    const skipped = (rows - 1 - row) * block;
    const weights = slice(slice(strip, 2, skipped, skipped + seen), 1, 0, seen - row * block);
    return matMul(weights, slice(signal, 1, 0, seen));
  });
  return transpose(concat(parts, 1), [2, 0, 1]);
}

/**
 * The last block row of the Toeplitz matrix: entry (i, c) is k[(rows − 1) · block + i − c], zero where that index is
 * negative. Every other block row is a suffix of it along c.
 *
 * Entry (i, c) depends on c − i alone, so row i is row 0 rotated by i. A vector of length n repeated end to end and read in
 * rows of n − 1 is rotated by one more in each row: the matrix is made by copying, without an index.
 *
 * @param kernel  [t, d]
 * @returns       [d, block, rows · block]
 */
function lastBlockRow(kernel: Sym, rows: number, block: number): Sym {
  const [length, channels] = kernel.shape.map((size) => knownSize(size, "a kernel")) as [number, number];
  const width = rows * block;
  const diagonal = width - block;
  const k = pad(transpose(kernel, [1, 0]), 1, 0, width - length); // [d, width]
  const row = concat(
    [
      flip(slice(k, 1, 0, diagonal + 1), 1),
      fill([channels, block], 0),
      ...(block > 1 ? [flip(slice(k, 1, diagonal + 1), 1)] : []),
    ],
    1,
  );
  const period = width + block;
  const repeated = reshape(expand(reshape(row, [channels, 1, period]), [channels, block, period]), [
    channels,
    block * period,
  ]);
  const rotated = reshape(slice(repeated, 1, 0, block * (period - 1)), [channels, block, period - 1]);
  return slice(rotated, 2, 0, width);
}
