/** Depth of the continued fraction of Mills' ratio; enough for full double precision from z = 1.5. */
const MILLS_DEPTH = 200;

/** Density of the standard normal distribution at a finite z. */
function normalDensity(z: number): number {
  // z² is split: its rounding would be a relative error of z²·2⁻⁵³ in the far tail.
  const head = Math.fround(z);
  return (Math.exp((-head * head) / 2) * Math.exp((-(z - head) * (z + head)) / 2)) / Math.sqrt(2 * Math.PI);
}

/**
 * P(Z > z) of the standard normal distribution, with small relative error in the far tail too (below 1e-14
 * until the result becomes subnormal at z = 37.5).
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
 * Quantile of the standard normal distribution: the z with P(Z <= z) = p.
 *
 * A rational first guess, then two steps of Halley's method, each of which triples the number of correct
 * digits.
 *
 * @returns  −Infinity for 0, Infinity for 1, NaN outside [0, 1]
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
    const newton = (normalUpperTail(z) - p) / normalDensity(z);
    z += newton / (1 - (z * newton) / 2);
  }
  return -z;
}

/**
 * P(T > t) of Student's t distribution, with small relative error in the far tail too.
 *
 * @param dof  degrees of freedom, > 0; not necessarily whole
 * @returns    in [0, 1]; NaN when dof is not positive
 */
export function studentTUpperTail(t: number, dof: number): number {
  if (t < 0) return 1 - studentTUpperTail(-t, dof);
  if (t === Number.POSITIVE_INFINITY) return dof > 0 ? 0 : Number.NaN;
  const total = dof + t * t;
  return incompleteBeta(dof / total, (t * t) / total, dof / 2, 0.5) / 2;
}

/**
 * The t > 0 that Student's t exceeds with probability p. With few degrees of freedom it is far above the
 * normal quantile: 12.7 instead of 1.96 for p = 0.025 and one degree of freedom.
 *
 * @param p    in (0, 0.5)
 * @param dof  degrees of freedom, > 0
 * @returns    NaN outside these ranges
 */
export function studentTQuantile(p: number, dof: number): number {
  if (!(p > 0 && p < 0.5 && dof > 0)) return Number.NaN;
  let low = 0;
  let high = 1;
  while (studentTUpperTail(high, dof) > p) {
    low = high;
    high *= 2;
  }
  // Bisection until no double lies between the ends.
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return middle;
    if (studentTUpperTail(middle, dof) > p) low = middle;
    else high = middle;
  }
}

/**
 * P(X >= k) of a binomial distribution: at least k of n independent trials succeed, each with probability p.
 *
 * @param k  whole number; 0 or less gives 1, more than n gives 0
 * @see Abramowitz & Stegun 1964, 26.5.24
 */
export function binomialUpperTail(k: number, n: number, p: number): number {
  if (k <= 0) return 1;
  if (k > n) return 0;
  return incompleteBeta(p, 1 - p, k, n - k + 1);
}

/**
 * Limit of the continued fraction, which needs about the square root of the larger shape: enough for shapes
 * of hundreds of millions.
 */
const MAX_TERMS = 100_000;

/**
 * Regularised incomplete beta function I_x(a, b): P(X <= x) of a beta distribution, which gives the tails of
 * Student's t, of a correlation and of the binomial distribution.
 *
 * Relative error below 1e-13, also for tiny results and for shapes in the millions: the power in front of the
 * continued fraction is computed from deviances (Loader's saddle-point form), not from differences of large
 * log-gammas.
 *
 * @param x           in [0, 1]
 * @param complement  1 − x, passed separately because callers may know it more precisely than the subtraction
 *                    gives
 * @param a           > 0
 * @param b           > 0
 * @returns           in [0, 1]; NaN when an argument is NaN or a shape is not positive
 * @see Abramowitz & Stegun 1964, 26.5.8; Loader 2000, "Fast and accurate computation of binomial
 *      probabilities"
 */
export function incompleteBeta(x: number, complement: number, a: number, b: number): number {
  if (!(a > 0 && b > 0 && x >= 0 && complement >= 0)) return Number.NaN;
  if (x === 0) return 0;
  if (complement === 0) return 1;
  // The continued fraction converges quickly only below about the mean; above it the other tail is computed.
  if (x > (a + 1) / (a + b + 2)) return 1 - lowerTail(complement, x, b, a);
  return lowerTail(x, complement, a, b);
}

/** I_x(a, b) for x below about the mean of the distribution, by the continued fraction (modified Lentz). */
function lowerTail(x: number, complement: number, a: number, b: number): number {
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m < MAX_TERMS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / awayFromZero(1 + even * d);
    c = awayFromZero(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / awayFromZero(1 + odd * d);
    c = awayFromZero(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 2e-16) break;
  }
  return power(x, complement, a, b) * fraction;
}

/** Lentz's algorithm divides by partial denominators, which may become 0. */
function awayFromZero(value: number): number {
  return Math.abs(value) < 1e-300 ? 1e-300 : value;
}

/** x^a (1 − x)^b / (a B(a, b)). */
function power(x: number, complement: number, a: number, b: number): number {
  const n = a + b;
  const exponent =
    stirlingError(n) - stirlingError(a) - stirlingError(b) - deviance(a, n * x) - deviance(b, n * complement);
  return Math.exp(exponent) * Math.sqrt(b / (2 * Math.PI * a * n));
}

/** a ln(a/mean) + mean − a, without cancellation where a is close to the mean. */
function deviance(a: number, mean: number): number {
  const v = (a - mean) / (a + mean);
  if (Math.abs(v) >= 0.1) return a * Math.log(a / mean) + mean - a;
  // ln(a/mean) = 2 artanh(v), and mean - a = -v (a + mean) = v (a - mean) - 2 a v.
  let sum = (a - mean) * v;
  let term = 2 * a * v;
  for (let k = 3; ; k += 2) {
    term *= v * v;
    const next = sum + term / k;
    if (next === sum) return sum;
    sum = next;
  }
}

/** Error of Stirling's formula for n > 0: ln Γ(n + 1) − [(n + 1/2) ln n − n + ln(2π)/2]. */
function stirlingError(n: number): number {
  let error = 0;
  let m = n;
  for (; m < 16; m++) error += (m + 0.5) * Math.log1p(1 / m) - 1;
  const s = 1 / (m * m);
  return error + (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - (1 / 1188) * s) * s) * s) * s) / m;
}
