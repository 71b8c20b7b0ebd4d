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

// axes: b batch · t tokens · d channels
// N = 2·h·s points
// position n = s·n₁ + n₂ with n₁ < h, n₂ < s · frequency k = k₁ + 2h·k₂ with k₁ < h, k₂ < s

/** Convolution algorithm for one length, whose constant matrices are shared by all layers. */
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
 * A long causal convolution as a product of polynomials, evaluated at the N roots of z^N = −1 with N ≥ 2t: a
 * Fourier transform at odd frequencies. For real values half of the roots determine the other half, and with
 * odd frequencies no root is its own conjugate, so the transform of 2t positions, of which t are zero
 * padding, is exactly 2t real numbers.
 *
 * The transform is two matrix products (Cooley & Tukey 1965), the second of which includes the twiddle
 * factors: W₁ [2h, h] over n₁, then for each k₁ a matrix of W₂ [h, 2s, 2s] over n₂. Both keep the channels in
 * place, and each is, up to 2/N, inverted by its transpose: y = (2/N) · W₁ᵀ·W₂ᵀ·((W₂·W₁·k) ⊙ (W₂·W₁·x)).
 * About 8·N·√N operations per channel, at the speed of matrix products.
 */
export function longConvolution(length: number): LongConvolution {
  const { h, s } = factors(length);
  const first = constant(firstStage(h));
  const second = constant(secondStage(h, s));
  const [firstBack, secondBack] = [transpose(first, [1, 0]), transpose(second, [0, 2, 1])];

  /** [..., t, d] → real and imaginary part, each [..., h, s, d] */
  const spectrum = (x: Sym, leading: readonly Dim[], channels: number) => {
    const padded = pad(x, leading.length, 0, h * s - length);
    const partial = matMul(first, reshape(padded, [...leading, h, s * channels])); // [..., 2h, s·d]
    const whole = matMul(second, reshape(partial, [...leading, h, 2 * s, channels]));
    return split(whole, leading.length + 1, [s, s]) as readonly [Sym, Sym];
  };
  return {
    length,
    apply(x, kernel) {
      const batch = x.shape[0];
      const channels = knownSize(x.shape[2], "the number of channels");
      const [a, b] = spectrum(x, [batch], channels);
      const [c, d] = spectrum(mul(kernel, 1 / (h * s)), [], channels);
      const product = concat([sub(mul(a, c), mul(b, d)), add(mul(a, d), mul(b, c))], 2); // [b, h, 2s, d]
      const partial = reshape(matMul(secondBack, product), [batch, 2 * h, s * channels]);
      const positions = reshape(matMul(firstBack, partial), [batch, h * s, channels]);
      return slice(positions, 1, 0, length);
    },
  };
}

/**
 * Memory in bytes of the matrices of such a convolution, as stored and transposed, and per layer of a
 * constant kernel: the kernel itself, its copies in the model and in the session, and its spectrum.
 */
export function longConvolutionBytes(length: number, channels: number) {
  const { h, s } = factors(length);
  return { matrices: 8 * (2 * h * h + 4 * h * s * s), perLayer: 4 * channels * (3 * length + 4 * h * s) };
}

/** Cost of padding and slicing, in multiplications per position. */
const PADDING = 20;

/**
 * h and s with h·s ≥ length and the least work: the first stage takes h, the second 2·s multiplications per
 * value.
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
  let at = 0;
  for (let k1 = 0; k1 < h; k1++) {
    for (const imaginary of [false, true]) {
      for (let k2 = 0; k2 < s; k2++) {
        const frequency = 2 * (k1 + 2 * h * k2) + 1;
        for (let column = 0; column < 2 * s; column++) {
          const turn = (frequency * (column % s)) % (2 * points);
          const ofImaginary = column >= s;
          if (imaginary === ofImaginary) data[at++] = cos[turn];
          else data[at++] = imaginary ? -sin[turn] : sin[turn];
        }
      }
    }
  }
  return { dtype: "float32", shape: [h, 2 * s, 2 * s], data };
}

/** cos and sin of 2π·i / steps. */
function circle(steps: number) {
  const of = (f: (angle: number) => number) =>
    Float64Array.from({ length: steps }, (_, i) => f((2 * Math.PI * i) / steps));
  return { cos: of(Math.cos), sin: of(Math.sin) };
}
