/** Enough for shapes in the hundreds of millions: the continued fraction needs about the root of the larger shape. */
const MOST_TERMS = 100_000;

/**
 * Regularised incomplete beta function I_x(a, b): P(X <= x) of a beta distribution, and by it the tails of Student's t,
 * of a correlation and of the binomial distribution.
 *
 * Relative error below 1e-13, also where the result is tiny and where the shapes are in the millions: the power in front
 * of the continued fraction is computed from deviances (Loader's saddle-point form), not from differences of large
 * log-gammas.
 *
 * @param x           in [0, 1]
 * @param complement  1 − x, given apart because it may be known better than 1 − x tells
 * @param a           > 0
 * @param b           > 0
 * @returns           in [0, 1]; NaN when an argument is NaN or a shape is not positive
 * @see Abramowitz & Stegun 1964, 26.5.8; Loader 2000, "Fast and accurate computation of binomial probabilities"
 */
export function incompleteBeta(x: number, complement: number, a: number, b: number): number {
  if (!(a > 0 && b > 0 && x >= 0 && complement >= 0)) return Number.NaN;
  if (x === 0) return 0;
  if (complement === 0) return 1;
  // The fraction converges quickly below about the mean only; above it the other tail is computed.
  if (x > (a + 1) / (a + b + 2)) return 1 - lowerTail(complement, x, b, a);
  return lowerTail(x, complement, a, b);
}

/** I_x(a, b) for x below about the mean of the distribution, by the continued fraction (modified Lentz). */
function lowerTail(x: number, complement: number, a: number, b: number): number {
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m < MOST_TERMS; m++) {
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

/** Lentz's algorithm divides by partial denominators, which may vanish on the way. */
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

/** ln Γ(n + 1) − [(n + 1/2) ln n − n + ln(2π)/2], for n > 0: what Stirling's formula leaves. */
function stirlingError(n: number): number {
  let error = 0;
  let m = n;
  for (; m < 16; m++) error += (m + 0.5) * Math.log1p(1 / m) - 1;
  const s = 1 / (m * m);
  return error + (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - (1 / 1188) * s) * s) * s) * s) / m;
}
