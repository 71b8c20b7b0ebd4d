import { abs, add, exp, mul, neg, pad, reshape, sin, split, transpose } from "../../../net/graph/build.ts";
import type { Sym } from "../../../net/graph/sym.ts";
import { type DepthwiseConvolution, shortCausalConvolution } from "../../../net/nn/causal-convolution.ts";
import { type Linear, linear } from "../../../net/nn/linear.ts";
import type { LongConvolution } from "../../../net/nn/long-convolution.ts";

// axes: b batch · t tokens · d width

export interface HyenaMixer {
  /** d → 3d; blocks of rows in the order x₀, x₁, v */
  readonly inProjection: Linear;
  readonly shortFilter: DepthwiseConvolution;
  /** [d], the skip of the long convolution */
  readonly skip: Sym;
  readonly outProjection: Linear;
}

/** Differences between models with the operator. */
export interface HyenaForm {
  /**
   * x₀, x₁ and v, each [b, d, t], from the short convolution's output [b, 3d, t]; blocks of rows if absent.
   */
  readonly parts?: ((u: Sym) => readonly Sym[]) | undefined;
  /** The queries of each row, [b, t, d] → [b, q, d]; all tokens if absent. */
  readonly rowsOf?: (x: Sym) => Sym;
}

/**
 * The Hyena operator of order 2: two gates around one long causal convolution (Poli et al. 2023,
 * arXiv:2302.10866, eq. 4).
 *
 * u = in(x); x₀, x₁, v = short(u); y = k ∗ (v ⊙ x₁) + skip ⊙ (v ⊙ x₁); out(y ⊙ x₀)
 *
 * @param x       [b, t, d]
 * @param kernel  [t, d], the implicit filter
 * @param long    a convolution over t positions
 * @returns       [b, q, d]
 */
export function hyena(p: HyenaMixer, x: Sym, kernel: Sym, long: LongConvolution, form: HyenaForm = {}): Sym {
  return gatedConvolution(p, x, (z) => long.apply(channelsNext(z), withSkip(kernel, p.skip)), form);
}

/**
 * out(convolve(v ⊙ x₁) ⊙ x₀), with x₀, x₁, v = short(in(x)).
 *
 * @param x         [b, t, d]
 * @param convolve  a causal convolution, [b, d, t] → [b, t, d]
 * @returns         [b, q, d]
 */
export function gatedConvolution(
  p: Omit<HyenaMixer, "skip">,
  x: Sym,
  convolve: (z: Sym) => Sym,
  { parts = blocks, rowsOf = (all) => all }: HyenaForm = {},
): Sym {
  const u = channelsNext(linear(p.inProjection, x)); // [b, 3d, t]
  const [x0, x1, v] = parts(shortCausalConvolution(p.shortFilter, u));
  return linear(p.outProjection, rowsOf(mul(convolve(mul(v!, x1!)), channelsNext(x0!))));
}

/** [b, 3d, t] → three times [b, d, t] */
function blocks(u: Sym): readonly Sym[] {
  const width = (u.shape[1] as number) / 3;
  return split(u, 1, [width, width, width]);
}

/** [b, t, d] ↔ [b, d, t]: the short convolution takes tokens last, everything else channels last. */
export const channelsNext = (x: Sym) => transpose(x, [0, 2, 1]);

/** The skip connection is one more tap at distance zero: k̃[0] = k[0] + skip. */
function withSkip(kernel: Sym, skip: Sym): Sym {
  const [length, width] = kernel.shape as readonly [number, number];
  return add(kernel, pad(reshape(skip, [1, width]), 0, 0, length - 1));
}

/**
 * Weights of Hyena's implicit filter, which is evaluated on the host in float64. In float32 the rounding of
 * the first sine's argument is not small against the step between neighbouring positions of a long model, so
 * the filter is computed once in float64 and rounded at the end (Poli et al. 2023, arXiv:2302.10866, section
 * 3.3).
 */
export interface ImplicitFilterWeights {
  /** z, positional features [t, e]; t, position in [0, 1], [t]; δ, decay rates [d] */
  readonly features: Float32Array;
  readonly time: Float32Array;
  readonly decay: Float32Array;
  /** φ, one frequency per hidden unit, shared by the three sines [f] */
  readonly frequency: Float32Array;
  /** Three layers with sines: weight [f, e or f], bias [f] */
  readonly hidden: readonly { readonly weight: Float32Array; readonly bias: Float32Array }[];
  /** [d, f], no bias */
  readonly output: Float32Array;
}

/** Offset of the window, so that the filter never vanishes. */
const SHIFT = 0.05;

/**
 * k[τ, d] = h[τ, d] · (exp(−t_τ·|δ_d|) + 0.05), with h an MLP of sines over z_τ.  Returns [t, d], row-major.
 */
export function implicitFilter(w: ImplicitFilterWeights): Float32Array {
  const length = w.time.length;
  const width = w.decay.length;
  const filter = new Float32Array(length * width);
  const inputs = w.features.length / length;
  for (let position = 0; position < length; position++) {
    let h = Float64Array.from(w.features.subarray(position * inputs, (position + 1) * inputs));
    for (const { weight, bias } of w.hidden) {
      h = dense(weight, h, bias).map((x, unit) => Math.sin(w.frequency[unit] * x));
    }
    const k = dense(w.output, h);
    for (let d = 0; d < width; d++) {
      const window = Math.exp(-w.time[position] * Math.abs(w.decay[d])) + SHIFT;
      filter[position * width + d] = k[d] * window;
    }
  }
  return filter;
}

/** The filter's network as symbols of a graph, for training: its layers may have adapters. */
export interface FilterNetwork {
  /** [1, f] */
  readonly frequency: Sym;
  readonly hidden: readonly Linear[];
  readonly output: Linear;
  /** δ, [1, 1, d] */
  readonly decay: Sym;
}

/**
 * `implicitFilter` in float32, as the original computes it in training.
 *
 * @param features  z, [t, e]
 * @param time      t, [t, 1]
 * @returns         [t, d]
 */
export function filterOf(
  { frequency, hidden, output, decay }: FilterNetwork,
  { features, time }: { readonly features: Sym; readonly time: Sym },
): Sym {
  const h = hidden.reduce((x, layer) => sin(mul(linear(layer, x), frequency)), features);
  const window = add(exp(neg(mul(time, abs(reshape(decay, [1, decay.shape[2]]))))), SHIFT);
  return mul(linear(output, h), window);
}

/** W·x + b */
function dense(weight: Float32Array, x: Float64Array, bias?: Float32Array): Float64Array {
  const result = new Float64Array(weight.length / x.length);
  for (let row = 0; row < result.length; row++) {
    let sum = bias?.[row] ?? 0;
    const at = row * x.length;
    for (let i = 0; i < x.length; i++) sum += weight[at + i] * x[i];
    result[row] = sum;
  }
  return result;
}

/**
 * The positional features of a model whose longest input is `maxLength`, as float32 buffers: t = τ/(M − 1);
 * z = [t, cos(f·w), −sin(f·w)] with w = 2πτ/M and bands f from 1e-4 to (e − 1)/2 − 1.
 */
export function positionalFeatures(maxLength: number, features: number) {
  const bands = (features - 1) / 2;
  const step = bands === 1 ? 0 : (bands - 1 - 1e-4) / (bands - 1);
  const time = new Float32Array(maxLength);
  const z = new Float32Array(maxLength * features);
  for (let position = 0; position < maxLength; position++) {
    const t = maxLength === 1 ? 0 : position / (maxLength - 1);
    const w = (2 * Math.PI * position) / maxLength;
    time[position] = t;
    z[position * features] = t;
    for (let band = 0; band < bands; band++) {
      const angle = (1e-4 + band * step) * w;
      z[position * features + 1 + band] = Math.cos(angle);
      z[position * features + 1 + bands + band] = -Math.sin(angle);
    }
  }
  return { time, z };
}

/** δ: evenly spaced from ln(0.01)/1.5 to ln(0.01)/0.3. */
export function decayRates(width: number): Float32Array {
  const slow = Math.log(0.01) / 1.5;
  const fast = Math.log(0.01) / 0.3;
  return Float32Array.from({ length: width }, (_, d) =>
    width === 1 ? slow : slow + (d * (fast - slow)) / (width - 1),
  );
}
