import { abs, add, exp, mul, neg, pad, reshape, sin, split, transpose } from "../../../net/graph/build.ts";
import { knownSize } from "../../../net/graph/dim.ts";
import type { Sym } from "../../../net/graph/sym.ts";
import { type DepthwiseConvolution, shortCausalConvolution } from "../../../net/nn/convolution.ts";
import { type Linear, linear } from "../../../net/nn/linear.ts";
import type { LongConvolution } from "../../../net/nn/long-convolution.ts";

// axes: b batch · t tokens · q queries · d width · e positional features · f hidden units of the filter's
// network

/** Parameters of a Hyena operator of order 2. */
export interface HyenaMixer {
  /** d → 3d: x₀, x₁ and v, as consecutive blocks of rows unless `splitProjections` says otherwise. */
  readonly inProjection: Linear;
  readonly shortFilter: DepthwiseConvolution;
  /** Coefficient of the long convolution's skip connection: [d] */
  readonly skip: Sym;
  readonly outProjection: Linear;
}

/** Differences between models with a Hyena operator. */
export interface HyenaOptions {
  /** Splits [b, 3d, t] into x₀, x₁ and v, each [b, d, t]; by default into consecutive blocks of channels. */
  readonly splitProjections?: ((u: Sym) => readonly Sym[]) | undefined;
  /** Selects the queries of each row, [b, t, d] → [b, q, d]; all tokens by default. */
  readonly selectQueries?: (x: Sym) => Sym;
}

/**
 * The Hyena operator of order 2: two gates around one long causal convolution (Poli et al. 2023,
 * arXiv:2302.10866, eq. 4).
 *
 *     (x₀, x₁, v) = short(in(x));  z = v ⊙ x₁;  y = k ∗ z + skip ⊙ z;  out(y ⊙ x₀)
 *
 * @param x       [b, t, d]
 * @param kernel  k, [t, d]
 * @param long    the algorithm of the convolution over t tokens
 * @returns       [b, q, d]
 */
export function hyena(
  p: HyenaMixer,
  x: Sym,
  kernel: Sym,
  long: LongConvolution,
  options: HyenaOptions = {},
): Sym {
  const convolve = (z: Sym) => long.apply(swapTokensAndChannels(z), addSkip(kernel, p.skip));
  return gatedConvolution(p, x, convolve, options);
}

/**
 * out(convolve(v ⊙ x₁) ⊙ x₀) with (x₀, x₁, v) = short(in(x)).
 *
 * @param x         [b, t, d]
 * @param convolve  a causal convolution, [b, d, t] → [b, t, d]
 * @returns         [b, q, d]
 */
export function gatedConvolution(
  p: Omit<HyenaMixer, "skip">,
  x: Sym,
  convolve: (z: Sym) => Sym,
  { splitProjections = thirds, selectQueries = (y) => y }: HyenaOptions = {},
): Sym {
  const projected = swapTokensAndChannels(linear(p.inProjection, x)); // [b, 3d, t]
  const [x0, x1, v] = splitProjections(shortCausalConvolution(p.shortFilter, projected)); // each [b, d, t]
  const y = convolve(mul(v, x1)); // [b, t, d]
  return linear(p.outProjection, selectQueries(mul(y, swapTokensAndChannels(x0))));
}

/** [b, 3d, t] → three times [b, d, t] */
function thirds(u: Sym): readonly Sym[] {
  const width = knownSize(u.shape[1], "the channels") / 3;
  return split(u, 1, [width, width, width]);
}

/** [b, t, d] ↔ [b, d, t]: short convolutions take channels before tokens, all other layers tokens first. */
export const swapTokensAndChannels = (x: Sym) => transpose(x, [0, 2, 1]);

/** Adds the skip connection to the filter as part of its tap at distance 0: k[0] + skip.  [t, d] → [t, d] */
function addSkip(kernel: Sym, skip: Sym): Sym {
  const [length, width] = kernel.shape.map((size) => knownSize(size, "a filter"));
  return add(kernel, pad(reshape(skip, [1, width]), 0, 0, length - 1));
}

/**
 * Weights of Hyena's implicit filter (Poli et al. 2023, arXiv:2302.10866, section 3.3).
 *
 * The filter is computed outside the graph, in float64, and then rounded: for long inputs the float32
 * rounding error of the first sine's argument is comparable to its change between neighbouring positions.
 */
export interface ImplicitFilterWeights {
  /** z, positional features: [t, e] */
  readonly features: Float32Array;
  /** Positions scaled to [0, 1]: [t] */
  readonly time: Float32Array;
  /** δ, decay rates: [d] */
  readonly decay: Float32Array;
  /** φ, one frequency per hidden unit for all three sines: [f] */
  readonly frequency: Float32Array;
  /** Three layers, each followed by a sine: weight [f, e] or [f, f], bias [f] */
  readonly hidden: readonly { readonly weight: Float32Array; readonly bias: Float32Array }[];
  /** Last layer, without bias: [d, f] */
  readonly output: Float32Array;
}

/** Constant added to the window, so that the filter does not decay to zero. */
const SHIFT = 0.05;

/**
 * k[τ, d] = h[τ, d] · (exp(−t_τ·|δ_d|) + 0.05), where the MLP h has three layers x ← sin(φ ⊙ (W·x + b)),
 * starting from z_τ, and a last layer without bias.
 *
 * @returns k, [t, d], row-major
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

/** The filter's network as symbols of a graph, for training, where its layers have LoRA factors. */
export interface FilterNetwork {
  /** [1, f] */
  readonly frequency: Sym;
  readonly hidden: readonly Linear[];
  readonly output: Linear;
  /** δ, [1, 1, d] */
  readonly decay: Sym;
}

/**
 * `implicitFilter` as a graph, in float32.
 *
 * @param features  z, [t, e]
 * @param time      t, [t, 1]
 * @returns         [t, d]
 */
export function filterGraph(
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
 * Positional features at τ = 0 … M − 1 for the longest input M of a model: t = τ/(M − 1) and
 * z = [t, cos(f·w), −sin(f·w)] with w = 2πτ/M and (e − 1)/2 frequencies f, evenly spaced from 1e-4 to
 * (e − 1)/2 − 1.
 *
 * @param maxLength  M
 * @param features   e, odd
 * @returns          t, [M], and z, [M, e], row-major
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

/** δ of an untrained model, [d]: evenly spaced from ln(0.01)/1.5 to ln(0.01)/0.3. */
export function decayRates(width: number): Float32Array {
  const slow = Math.log(0.01) / 1.5;
  const fast = Math.log(0.01) / 0.3;
  return Float32Array.from({ length: width }, (_, d) =>
    width === 1 ? slow : slow + (d * (fast - slow)) / (width - 1),
  );
}
