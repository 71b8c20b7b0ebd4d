/** Depth of the continued fraction of Mills' ratio; enough for full double precision from z = 1.5 upwards. */
const MILLS_DEPTH = 200;

/** Density of the standard normal distribution at a finite z. */
function normalDensity(z: number): number {
  // z² is split so that its rounding does not become a relative error of z²·2⁻⁵³ in the far tail.
  const head = Math.fround(z);
  return (Math.exp((-head * head) / 2) * Math.exp((-(z - head) * (z + head)) / 2)) / Math.sqrt(2 * Math.PI);
}

/**
 * P(Z > z) of the standard normal distribution, with small relative error in the far tail too (below 1e-14 until the
 * result becomes subnormal at z = 37.5).
 *
 * Below z = 1.5 the Taylor series of the distribution around 0, above it Laplace's continued fraction.
 *
 * @returns  in [0, 1]; NaN for NaN
 * @see Abramowitz & Stegun 1964, 26.2.11 and 26.2.14
 */
export function normalUpperTail(z: number): number {
  if (z < 0) return 1 - normalUpperTail(-z);
  if (z > 40) return 0;
  if (!(z >= 1.5)) return 0.5 - normalDensity(z) * oddSeries(z);
  let fraction = z;
  for (let k = MILLS_DEPTH; k > 0; k--) fraction = z + k / fraction;
  return normalDensity(z) / fraction;
}

/** P(Z <= z) of the standard normal distribution; as exact for small results as `normalUpperTail`. */
export function normalCdf(z: number): number {
  return normalUpperTail(-z);
}

/** z + z³/3 + z⁵/(3·5) + ...: (cdf(z) - 1/2) / density(z). All terms have one sign. */
function oddSeries(z: number): number {
  let term = z;
  let sum = z;
  for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) {
    term *= (z * z) / k;
    sum += term;
  }
  return sum;
}

/**
 * The z below which a standard normal number lies with probability p; the inverse of `normalCdf`.
 *
 * A rational first guess, then two steps of Halley's method, which triple the correct digits each.
 *
 * @returns  -Infinity for 0, Infinity for 1, NaN outside [0, 1]
 * @see Abramowitz & Stegun 1964, 26.2.23 (the first guess)
 */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) return Number.NaN;
  if (p > 0.5) return -normalQuantile(1 - p);
  if (p === 0.5) return 0;
  if (p === 0) return Number.NEGATIVE_INFINITY;
  const t = Math.sqrt(-2 * Math.log(p));
  let z =
    t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  for (let step = 0; step < 2; step++) {
    // Newton's step on log of the tail would do as well; this one needs no logarithm.
    const newton = (normalUpperTail(z) - p) / normalDensity(z);
    z += newton / (1 - (z * newton) / 2);
  }
  return -z;
}
