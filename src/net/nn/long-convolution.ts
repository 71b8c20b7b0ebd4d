import type { NdArray } from "../arrays/array.ts";
import {
  add,
  concat,
  constant,
  matMul,
  mul,
  pad,
  reshape,
  slice,
  split,
  sub,
  transpose,
} from "../graph/build.ts";
import type { Dim } from "../graph/dim.ts";
import { knownSize } from "../graph/dim.ts";
import type { Sym } from "../graph/sym.ts";

// axes: b batch · t tokens · d channels. N = 2·h·s points of the transform
// position n = s·n₁ + n₂ with n₁ < h, n₂ < s · frequency k = k₁ + 2h·k₂ with k₁ < h, k₂ < s

/** Algorithm of a long convolution for one length. All layers share its constant matrices. */
export interface LongConvolution {
  readonly length: number;
  /**
   * Causal convolution, one kernel per channel: y[b, t, d] = Σ_{τ ≤ t} k[τ, d] · x[b, t − τ, d].
   *
   * @param x       [b, t, d], t the length
   * @param kernel  [t, d]
   * @returns       [b, t, d]
   */
  apply(x: Sym, kernel: Sym): Sym;
}

/**
 * A long causal convolution as a product of polynomials, which are evaluated at the N ≥ 2t roots of z^N = −1:
 * a Fourier transform at odd frequencies. The transform of real values is determined by half of the roots. As
 * no root is its own conjugate, the transform of N positions, of which at least t are zero padding, is
 * exactly N real numbers.
 *
 * The transform has two stages (Cooley & Tukey 1965), each a matrix product that keeps the channels as last
 * axis: W₁ [2h, h] over n₁, then for each k₁ one matrix of W₂ [h, 2s, 2s] over n₂, which includes the twiddle
 * factors. The transposed matrices invert the transform up to the factor 2/N: y = (2/N) · W₁ᵀ·W₂ᵀ·((W₂·W₁·k)
 * ⊙ (W₂·W₁·x)), where ⊙ multiplies complex numbers. The cost is about 8·N·√N operations per channel.
 */
export function longConvolution(length: number): LongConvolution {
  const { h, s } = factors(length);
  const first = constant(firstStage(h));
  const second = constant(secondStage(h, s));
  const [firstInverse, secondInverse] = [transpose(first, [1, 0]), transpose(second, [0, 2, 1])];

  /** [..., t, d] → real and imaginary part, each [..., h, s, d] */
  const spectrum = (x: Sym, leading: readonly Dim[], channels: number) => {
    const padded = pad(x, leading.length, 0, h * s - length);
    const partial = matMul(first, reshape(padded, [...leading, h, s * channels])); // [..., 2h, s·d]
    const whole = matMul(second, reshape(partial, [...leading, h, 2 * s, channels]));
    return split(whole, leading.length + 1, [s, s]);
  };
  return {
    length,
    apply(x, kernel) {
      const batch = x.shape[0];
      const channels = knownSize(x.shape[2], "the number of channels");
      const [a, b] = spectrum(x, [batch], channels);
      const [c, d] = spectrum(mul(kernel, 1 / (h * s)), [], channels);
      const product = concat([sub(mul(a, c), mul(b, d)), add(mul(a, d), mul(b, c))], 2); // [b, h, 2s, d]
      const partial = reshape(matMul(secondInverse, product), [batch, 2 * h, s * channels]);
      const positions = reshape(matMul(firstInverse, partial), [batch, h * s, channels]);
      return slice(positions, 1, 0, length);
    },
  };
}

/**
 * Memory in bytes: of the matrices and their transposes, and per layer with a constant kernel of the kernel,
 * its copies in the model and in the session, and its spectrum.
 */
export function longConvolutionBytes(length: number, channels: number) {
  const { h, s } = factors(length);
  return { matrices: 8 * (2 * h * h + 4 * h * s * s), perLayer: 4 * channels * (3 * length + 4 * h * s) };
}

/** Cost of padding and slicing a value, in multiplications. */
const PADDING = 20;

/**
 * The h and s with h·s ≥ length and the least work: h multiplications per value in the first stage, 2·s in
 * the second.
 */
function factors(length: number): { readonly h: number; readonly s: number } {
  let best = { h: length, s: 1, work: Number.POSITIVE_INFINITY };
  for (let s = 1; s * s <= length; s++) {
    const h = Math.ceil(length / s);
    const work = h * s * (h + 2 * s + (h * s === length ? 0 : PADDING));
    if (work < best.work) best = { h, s, work };
  }
  return best;
}

/** exp(−iπ(2k₁ + 1)·n₁ / 2h); rows 2k₁ and 2k₁ + 1 are the real and the imaginary part.  [2h, h] */
function firstStage(h: number): NdArray {
  const { cos, sin } = circle(4 * h);
  const data = new Float32Array(2 * h * h);
  for (let k = 0; k < h; k++) {
    for (let n = 0; n < h; n++) {
      const turn = ((2 * k + 1) * n) % (4 * h);
      data[2 * k * h + n] = cos[turn];
      data[(2 * k + 1) * h + n] = -sin[turn];
    }
  }
  return { dtype: "float32", shape: [2 * h, h], data };
}

/**
 * For each k₁ the complex matrix exp(−iπ(2k + 1)·n₂ / N) over k₂ and n₂, as real blocks
 * [[re, −im], [im, re]].  [h, 2s, 2s]
 */
function secondStage(h: number, s: number): NdArray {
  const points = 2 * h * s;
  const { cos, sin } = circle(2 * points);
  const data = new Float32Array(h * 4 * s * s);
  for (let k1 = 0; k1 < h; k1++) {
    for (let k2 = 0; k2 < s; k2++) {
      const frequency = 2 * (k1 + 2 * h * k2) + 1;
      const upper = (k1 * 2 * s + k2) * 2 * s; // row [re, −im]
      const lower = upper + s * 2 * s; // row [im, re]
      for (let n2 = 0; n2 < s; n2++) {
        const turn = (frequency * n2) % (2 * points);
        data[upper + n2] = cos[turn];
        data[upper + s + n2] = sin[turn];
        data[lower + n2] = -sin[turn];
        data[lower + s + n2] = cos[turn];
      }
    }
  }
  return { dtype: "float32", shape: [h, 2 * s, 2 * s], data };
}

/** cos and sin of 2π·i / steps for i = 0 … steps − 1. */
function circle(steps: number) {
  const of = (f: (angle: number) => number) =>
    Float64Array.from({ length: steps }, (_, i) => f((2 * Math.PI * i) / steps));
  return { cos: of(Math.cos), sin: of(Math.sin) };
}
