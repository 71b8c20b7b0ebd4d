import {
  add,
  concat,
  conv,
  expand,
  fill,
  flip,
  matMul,
  pad,
  reshape,
  slice,
  transpose,
} from "../graph/build.ts";
import { type Dim, knownSize, multiplyDims } from "../graph/dim.ts";
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
const LARGE_BLOCK = 128;
/** Up to this length whole block rows are multiplied; they take memory with the square of the length. */
const BLOCK_ROWS_UP_TO = 512;

/**
 * Long causal convolution, one kernel per channel: y[b, d, t] = Σ_{τ ≤ t} k[τ, d] · x[b, d, t − τ].
 *
 * Evaluated as a lower-triangular Toeplitz product in blocks; what lies above the diagonal blocks is left out. Exact, and at
 * the lengths of this benchmark faster than a Fourier transform or a depthwise `Conv`.
 *
 * @param x       [b, d, t], t known
 * @param kernel  [t, d]
 * @returns       [b, d, t]
 */
export function longCausalConvolution(x: Sym, kernel: Sym): Sym {
  const length = knownSize(x.shape[2]!, "the length of a long convolution");
  const signal = transpose(x, [1, 2, 0]); // [d, t, b]
  const convolved = length <= BLOCK_ROWS_UP_TO ? byBlockRow(signal, kernel) : byDistance(signal, kernel);
  return transpose(convolved, [2, 0, 1]);
}

/** One product per block row, with all columns up to the diagonal.  signal: [d, t, b] → [d, t, b] */
function byBlockRow(signal: Sym, kernel: Sym): Sym {
  const length = signal.shape[1] as number;
  const block = Math.min(BLOCK, length);
  const rows = Math.ceil(length / block);
  const strip = lastBlockRow(kernel, rows, block); // [d, block, rows · block]
  const parts = Array.from({ length: rows }, (_, row) => {
    const seen = Math.min((row + 1) * block, length);
    const skipped = (rows - 1 - row) * block;
    const weights = slice(slice(strip, 2, skipped, skipped + seen), 1, 0, seen - row * block);
    return matMul(weights, slice(signal, 1, 0, seen));
  });
  return concat(parts, 1);
}

/**
 * One product per distance between blocks, for all blocks at once: block p receives T_m · block p − m. Every block of the
 * matrix is held once, so memory grows with the length alone.  signal: [d, t, b] → [d, t, b]
 */
function byDistance(signal: Sym, kernel: Sym): Sym {
  const [channels, length, batch] = signal.shape as readonly [number, number, Dim];
  const rows = Math.ceil(length / LARGE_BLOCK);
  const width = rows * LARGE_BLOCK;
  const strip = lastBlockRow(kernel, rows, LARGE_BLOCK);
  const blocks = reshape(pad(signal, 1, 0, width - length), [channels, rows, LARGE_BLOCK, batch]);
  const columns = transpose(blocks, [0, 2, 1, 3]); // [d, block, rows, b]
  const received = Array.from({ length: rows }, (_, distance) => {
    const left = rows - distance;
    const t = slice(strip, 2, (left - 1) * LARGE_BLOCK, left * LARGE_BLOCK); // [d, block, block]
    const sent = reshape(slice(columns, 2, 0, left), [channels, LARGE_BLOCK, multiplyDims(left, batch)]);
    return pad(reshape(matMul(t, sent), [channels, LARGE_BLOCK, left, batch]), 2, distance, 0);
  });
  const sum = received.reduce((total, part) => add(total, part));
  return slice(reshape(transpose(sum, [0, 2, 1, 3]), [channels, width, batch]), 1, 0, length);
}

/** Bytes that the blocks of one convolution take when they are computed once and kept, scratch included. */
export function longConvolutionBytes(length: number, channels: number): number {
  const short = length <= BLOCK_ROWS_UP_TO;
  const block = short ? BLOCK : LARGE_BLOCK;
  const rows = Math.ceil(length / block);
  const blocks = short ? rows * (rows + 1) + 2 * rows : 3 * rows;
  return 4 * channels * block * block * blocks;
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
