/**
 * -log10 P(X >= count) of a Poisson count: how surprising it is to see so many.
 * Summed from the first term of the tail, whose logarithm never underflows; 0 for a count of 0.
 */
export function poissonSurprise(count: number, mean: number): number {
  if (count === 0) return 0;
  let logTerm = -mean;
  for (let k = 1; k <= count; k++) logTerm += Math.log(mean / k);
  let sum = 1;
  let term = 1;
  for (let k = count + 1; term > 1e-17 * sum || k <= mean; k++) {
    term *= mean / k;
    sum += term;
  }
  return Math.max(0, -(logTerm + Math.log(sum)) / Math.LN10);
}

/**
 * P(|Z| > |z|) of a standard normal number: Laplace's continued fraction of Mills' ratio, and below 2 the series of
 * the distribution around 0.
 *
 * @see Abramowitz & Stegun 1964, 26.2.11 and 26.2.14
 */
export function twoSidedNormalTail(z: number): number {
  const x = Math.abs(z);
  const density = Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
  if (x >= 2) {
    let fraction = x;
    for (let k = 100; k > 0; k--) fraction = x + k / fraction;
    return (2 * density) / fraction;
  }
  let sum = x;
  for (let term = x, k = 3; term > 1e-17; k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return 1 - 2 * density * sum;
}

/** -log10 of Benjamini–Hochberg q-values from -log10 p-values, in the same order. */
export function benjaminiHochberg(surprises: readonly number[]): number[] {
  const order = surprises.map((_, i) => i).sort((a, b) => surprises[a]! - surprises[b]! || a - b); // least surprising first
  const adjusted = new Array<number>(surprises.length);
  let highest = 0;
  order.forEach((row, i) => {
    const rank = surprises.length - i; // 1 for the most surprising
    highest = Math.max(highest, surprises[row]! - Math.log10(surprises.length / rank));
    adjusted[row] = highest;
  });
  return adjusted;
}
