import type { NdArray } from "../../net/arrays/array.ts";

/**
 * Axis along which the maximum of the gamma densities is scaled to 1: the distances, as in the published
 * TensorFlow program, or the features of each distance, as in weights that the PyTorch port trained.
 */
export type GammaScale = "distances" | "features";

/**
 * Enformer's features of the distances −(n − 1) … n − 1 (Avsec et al. 2021, doi:10.1038/s41592-021-01252-x,
 * supplementary methods): `width / 6` each of exponential decays, central masks and gamma densities of the
 * absolute distance, then all of them multiplied by the sign of the distance.
 *
 * Computed in float64. The published table of gamma densities, computed in float32, differs by up to 0.0025.
 *
 * @param width  a multiple of 6
 * @returns      [2n − 1, width]
 */
export function relativePositionFeatures(n: number, width: number, scale: GammaScale): NdArray<"float32"> {
  const count = width / 6;
  const exponential = linspace(3, Math.log2(n), count).map((exponent) => Math.LN2 / 2 ** exponent);
  const gamma = gammaFeatures(n, count, scale);
  const data = new Float32Array((2 * n - 1) * width);
  for (let at = 0; at < 2 * n - 1; at++) {
    const distance = at - (n - 1);
    const size = Math.abs(distance);
    const row = data.subarray(at * width, (at + 1) * width);
    for (let k = 0; k < count; k++) {
      row[k] = Math.exp(-exponential[k] * size);
      row[count + k] = 2 ** (k + 1) - 1 > size ? 1 : 0;
      row[2 * count + k] = gamma[size * count + k];
    }
    for (let k = 0; k < 3 * count; k++) row[3 * count + k] = Math.sign(distance) * row[k];
  }
  return { dtype: "float32", shape: [2 * n - 1, width], data };
}

/**
 * Borzoi's features of the distances −(n − 1) … n − 1: central masks, 1 where |distance| < 4097^(k / m) − 1
 * for k = 1 … m and m = width / 2, then the masks multiplied by the sign of the distance. As in the port, the
 * masks do not depend on n.
 *
 * @param width  even
 * @returns      [2n − 1, width]
 * @see Linder et al. 2025, doi:10.1038/s41588-024-02053-6
 */
export function centralMasks(n: number, width: number): NdArray<"float32"> {
  const count = width / 2;
  const data = new Float32Array((2 * n - 1) * width);
  for (let at = 0; at < 2 * n - 1; at++) {
    const distance = at - (n - 1);
    for (let k = 0; k < count; k++) {
      if (4097 ** ((k + 1) / count) - 1 <= Math.abs(distance)) continue;
      data[at * width + k] = 1;
      data[at * width + count + k] = Math.sign(distance);
    }
  }
  return { dtype: "float32", shape: [2 * n - 1, width], data };
}

/** Added to a density before it is scaled. */
const EPSILON = 1e-8;

/** Gamma densities with means from n / count to n and standard deviation n / (2 count), scaled: [n, count] */
function gammaFeatures(n: number, count: number, scale: GammaScale): Float64Array {
  const std = n / (2 * count);
  const values = new Float64Array(n * count);
  linspace(n / count, n, count).forEach((mean, k) => {
    const concentration = (mean / std) ** 2;
    const rate = mean / std ** 2;
    const normalization = logGamma(concentration) - concentration * Math.log(rate);
    for (let x = 0; x < n; x++) {
      const power = concentration === 1 ? 0 : (concentration - 1) * Math.log(x);
      values[x * count + k] = Math.exp(power - rate * x - normalization) + EPSILON;
    }
  });
  const largest = new Float64Array(scale === "features" ? n : count);
  const group = (at: number) => (scale === "features" ? Math.floor(at / count) : at % count);
  values.forEach((value, at) => {
    largest[group(at)] = Math.max(largest[group(at)], value);
  });
  return values.map((value, at) => value / largest[group(at)]);
}

/**
 * ln Γ(x) for x > 0, by Stirling's series with the argument shifted to at least 10; relative error below
 * 1e-14.
 */
function logGamma(x: number): number {
  let shift = 0;
  let z = x;
  for (; z < 10; z++) shift -= Math.log(z);
  const inverse = 1 / (z * z);
  const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / z;
  return shift + (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series;
}

const linspace = (start: number, end: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => (count === 1 ? start : start + ((end - start) * i) / (count - 1)));
